"""Our mDNS source, in process: a cold browse, until so many services are resolved."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bench.measure import Sample
from bench.usage import usage
from hybridisco.core.model import Announcement, Withdrawal
from hybridisco.sources.mdns import MdnsSource

_REST_S = 1.0

Measure = Callable[[], Awaitable[Sample]]


class Found:
    """Counts names until there are enough of them."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._memory, _ = usage("self")
        self._began, self._cpu = time.perf_counter(), time.process_time()
        self._at: dict[str, float] = {}
        self._enough = asyncio.Event()

    def note(self, name: str) -> None:
        """A service is resolved."""
        self._at.setdefault(name, time.perf_counter())
        if len(self._at) >= self._expected:
            self._enough.set()

    async def sample(self, limit_s: float) -> Sample:
        """Return when enough are found, or at the limit: the first, the last, and how many were lost.

        CPU and memory are those of the whole process since this was made.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._enough.wait()
        times = [(at - self._began) * 1000 for at in self._at.values()]
        lost = self._expected - len(times)
        return {
            "first": min(times, default=float("inf")),
            # What has lost some is never done; until then counts what it has found, so that it can be compared.
            "ms": max(times, default=float("inf")) if not lost else (time.perf_counter() - self._began) * 1000,
            "lost": float(lost),
            "cpu_ms": (time.process_time() - self._cpu) * 1000,
            "mib": usage("self")[0] - self._memory,
        }


class _Sink:
    def __init__(self, found: Found) -> None:
        self._found = found

    def emit(self, datum: Announcement | Withdrawal) -> None:
        if isinstance(datum, Announcement):
            self._found.note(datum.ref.partition("\n")[0])


async def browse(expected: int, limit_s: float = 20.0) -> Measure:
    """Start a source, wait, and stop it."""

    async def measure() -> Sample:
        found = Found(expected)
        source = MdnsSource()
        running = asyncio.create_task(source.run(_Sink(found)))
        sample = await found.sample(limit_s)
        with suppress(TimeoutError):  # what it still says and hears counts as its packets, though not as its time
            async with asyncio.timeout(_REST_S):
                await source.settled()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return sample

    return measure
