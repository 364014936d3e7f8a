"""Whether a backend is announced: a pure rule over the results of its checks.

Theory of operation (after Consul's health checks)::

    waiting ──pass──▶ announced ──3 failures──▶ withdrawn ──2 passes──▶ announced

The first pass announces at once: the user has just started it and is waiting. After a withdrawal it takes two,
lest a crashing backend flaps on and off the network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

CHECK_EVERY_S = 5.0
FAILURES_TO_WITHDRAW = 3
PASSES_TO_RETURN = 2


class Phase(StrEnum):
    """Where in its life an announcement is."""

    WAITING = "waiting"
    ANNOUNCED = "announced"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Health:
    """The phase, and the run of failures (when announced) or passes (when withdrawn) that may end it."""

    phase: Phase = Phase.WAITING
    run: int = 0

    @property
    def announced(self) -> bool:
        """Whether the backend is on the network now."""
        return self.phase is Phase.ANNOUNCED

    def after(self, passed: bool) -> Health:
        """Return the health after one more check."""
        if self.phase is Phase.ANNOUNCED:
            if passed:
                return Health(Phase.ANNOUNCED)
            failed = replace(self, run=self.run + 1)
            return Health(Phase.WITHDRAWN) if failed.run >= FAILURES_TO_WITHDRAW else failed
        if not passed:
            return Health(self.phase)
        needed = 1 if self.phase is Phase.WAITING else PASSES_TO_RETURN
        return Health(Phase.ANNOUNCED) if self.run + 1 >= needed else replace(self, run=self.run + 1)
