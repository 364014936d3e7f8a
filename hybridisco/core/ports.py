"""The two interfaces between the layers. A new source implements :class:`Source`, and nothing else."""

from __future__ import annotations

from typing import Protocol

from hybridisco.core.model import Announcement, Endpoint, SourceName, SourceState, Withdrawal


class Sink(Protocol):
    """Where sources put what they learn. Never blocks, never raises; to be called on the event loop."""

    def emit(self, datum: Announcement | Withdrawal) -> None:
        """Take one piece of evidence, or take one back."""
        ...


class Source(Protocol):
    """Something that finds services. It only emits: it never reads the registry and knows no other source."""

    name: SourceName

    @property
    def state(self) -> SourceState:
        """How it is doing, for people: ``running``, ``ok`` or ``error`` with what to do."""
        ...

    async def run(self, sink: Sink) -> None:
        """Emit until cancelled. On cancellation every socket and task is closed before it returns."""
        ...

    async def settled(self) -> None:
        """Return when the first answer is complete: every probe answered, or the network quiet."""
        ...


class Checker(Protocol):
    """Something that can look at one endpoint (the probe)."""

    async def check(self, endpoint: Endpoint, kind: str | None) -> Announcement:
        """Identify what answers at ``endpoint``. Never raises for what the network does."""
        ...
