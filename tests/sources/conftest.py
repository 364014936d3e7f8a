"""What the tests of the sources share: a sink that remembers, and the mock backends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from hybridisco.core.model import Announcement, Withdrawal
from hybridisco.core.ports import Source
from hybridisco.testing.fixtures import mock_backend

__all__ = ["Recorder", "mock_backend", "running"]

WAIT_S = 5.0


class Recorder:
    """A sink that keeps everything, and what stands of it."""

    def __init__(self) -> None:
        self.log: list[Announcement | Withdrawal] = []
        self.standing: dict[str, Announcement] = {}
        self._stirred = asyncio.Event()

    def emit(self, datum: Announcement | Withdrawal) -> None:
        """Keep it."""
        self.log.append(datum)
        if isinstance(datum, Announcement):
            self.standing[datum.ref] = datum
        else:
            self.standing.pop(datum.ref, None)
        self._stirred.set()

    @property
    def kinds(self) -> list[str | None]:
        """The kinds of what stands."""
        return [announcement.kind for announcement in self.standing.values()]

    async def until(self, wanted: Callable[[], bool], limit_s: float = WAIT_S) -> None:
        """Wait until ``wanted`` is true."""
        async with asyncio.timeout(limit_s):
            while not wanted():
                self._stirred.clear()
                await self._stirred.wait()


@asynccontextmanager
async def running(source: Source, sink: Recorder) -> AsyncIterator[None]:
    """Run a source for as long as the block lasts."""
    task = asyncio.create_task(source.run(sink))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
