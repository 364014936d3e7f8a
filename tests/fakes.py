"""Fakes that implement the ports of :mod:`hybridisco.core.ports`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hybridisco.core.model import Announcement, SourceName, SourceState, Withdrawal
from hybridisco.core.ports import Sink

Datum = Announcement | Withdrawal


class FakeSource:
    """A source that says what it was told to, at once, and more whenever a test calls :meth:`say`.

    :param error: raised instead of going on, after ``script`` was said.
    :param falls: how often it is raised; later runs go on.
    :param trouble: the source ends by itself in this state, as mDNS does without a network.
    :param settles: whether it is ever settled.
    """

    def __init__(
        self,
        name: SourceName = SourceName.MDNS,
        script: Sequence[Datum] = (),
        *,
        error: Exception | None = None,
        falls: int = 1_000_000,
        trouble: str | None = None,
        settles: bool = True,
    ) -> None:
        self.name = name
        self.runs = 0
        self._script = tuple(script)
        self._error = error
        self._falls = falls
        self._trouble = trouble
        self._settles = settles
        self._settled = asyncio.Event()
        self._sink: Sink | None = None

    @property
    def state(self) -> SourceState:
        """As the script has it."""
        if self._trouble:
            return SourceState("error", self._trouble)
        return SourceState("ok" if self._settled.is_set() else "running")

    async def settled(self) -> None:
        """Return once the script was said."""
        await self._settled.wait()

    async def run(self, sink: Sink) -> None:
        """Say the script; then wait to be cancelled."""
        self.runs += 1
        self._sink = sink
        for datum in self._script:
            sink.emit(datum)
        if self._error is not None and self.runs <= self._falls:
            raise self._error
        if self._trouble:
            return
        if self._settles:
            self._settled.set()
        await asyncio.Event().wait()

    def mend(self) -> None:
        """What made it give up is gone: the next run goes well."""
        self._trouble = None

    def say(self, datum: Datum) -> None:
        """Emit one more; the source must be running."""
        assert self._sink is not None, "it does not run yet"
        self._sink.emit(datum)
