"""Whether something still lives: one table, and the times in it.

Theory of operation. Each endpoint that is looked at has a life, and so has each announcement whose announcer can be
watched. Two signs move it: it *answered* (or was heard), or it *failed* (or its announcer fell silent). The third mover
is time: who stays silent is gone. It never depends on the TTL of a record (RFC 6762 section 10 lets a PTR live for 75
minutes), and what is gone is not forgotten: its evidence is kept, so that it is there again as soon as it answers.

=========  ==========  =========  ===================  ==========================================================
state      answered    failed     silent for long      what the user sees
=========  ==========  =========  ===================  ==========================================================
new        alive       dead       –                    ``stale``: claimed, not looked at yet
alive      alive       suspect    –                    what it answered
suspect    alive       suspect    gone                 ``stale``
gone       alive       gone       –                    nothing, or ``unreachable`` if the user wrote it down
dead       alive       dead       –                    ``unreachable``: claimed, but has never answered
=========  ==========  =========  ===================  ==========================================================

**Our own network first.** What is reached by an interface that carries nothing is not dead: it is ``stale`` at once,
and stays so until the interface is back; only then its silence begins to count. Where several machines fall silent and
none answers, the reason says that it is probably this machine.

==========================  =========  ===============================================================
constant                    value      reason
==========================  =========  ===============================================================
CHECK_EVERY_S               3 s        one look at a service, whatever the number of its addresses; with 0.5 s to notice
                                       that it is time, and 1.1 s for two connects, a dead box is ``stale`` within 5 s
WATCHED_EVERY_S             5 s        the same where its announcer is watched by a connection, which tells within 4 s
OTHERS_EVERY_S              60 s       a look at an address that is not the best one, in the place of that one's
HEDGE_S                     0.3 s      no answer so far: look at its other addresses meanwhile (RFC 8305 has 0.25 s)
BACKOFF_LIMIT_S             60 s       what stays dead is still noticed within a minute of its return
GONE_AFTER_S                9 s        ``stale`` this long, and two more looks failed: gone in 15 s in all
HANGS_FOR_S                 600 s      what takes connections but does not answer is there, and busy or stuck: a
                                       model that computes for ten minutes must not lose its place
ORPHAN_AFTER_S              60 s       a look whose claim never came or went away is forgotten
WAKE_SPREAD_S               1.5 s      after a sleep all are looked at within this time, not in one instant
==========================  =========  ===============================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CHECK_EVERY_S = 3.0
WATCHED_EVERY_S = 5.0
OTHERS_EVERY_S = 60.0
HEDGE_S = 0.3
BACKOFF_LIMIT_S = 60.0
GONE_AFTER_S = 9.0
HANGS_FOR_S = 600.0
ORPHAN_AFTER_S = 60.0
WAKE_SPREAD_S = 1.5

_STEADY_FAILURES = 3  # the first failures are repeated at the usual pace: it may be a hiccup
_DOUBLINGS = 16  # more than enough for the limit, and nothing overflows after a night


class State(StrEnum):
    """What is known of something's life."""

    NEW = "new"
    ALIVE = "alive"
    SUSPECT = "suspect"
    GONE = "gone"
    DEAD = "dead"


class Sign(StrEnum):
    """What moves a life."""

    ANSWERED = "answered"
    FAILED = "failed"
    SILENT = "silent"


_NEXT: dict[tuple[State, Sign], State] = {
    (State.NEW, Sign.ANSWERED): State.ALIVE,
    (State.NEW, Sign.FAILED): State.DEAD,
    (State.ALIVE, Sign.ANSWERED): State.ALIVE,
    (State.ALIVE, Sign.FAILED): State.SUSPECT,
    (State.SUSPECT, Sign.ANSWERED): State.ALIVE,
    (State.SUSPECT, Sign.FAILED): State.SUSPECT,
    (State.SUSPECT, Sign.SILENT): State.GONE,
    (State.GONE, Sign.ANSWERED): State.ALIVE,
    (State.GONE, Sign.FAILED): State.GONE,
    (State.DEAD, Sign.ANSWERED): State.ALIVE,
    (State.DEAD, Sign.FAILED): State.DEAD,
}


@dataclass(frozen=True, slots=True)
class Life:
    """A state, since when it holds, and the failures in a row. ``hangs``: it takes connections, but does not answer."""

    state: State = State.NEW
    since: float = 0.0
    failures: int = 0
    hangs: bool = False

    def after(self, sign: Sign, now: float, *, hangs: bool = False) -> Life:
        """Return the life after a sign."""
        before = self.at(now)
        state = _NEXT[before.state, sign]
        failures = 0 if sign is Sign.ANSWERED else before.failures + 1
        return Life(state, before.since if state is before.state else now, failures, hangs)

    def at(self, now: float) -> Life:
        """Return the life at ``now`` if nothing was heard since."""
        if self.state is State.SUSPECT and now - self.since >= (HANGS_FOR_S if self.hangs else GONE_AFTER_S):
            return Life(_NEXT[State.SUSPECT, Sign.SILENT], now, self.failures, self.hangs)
        return self

    def again(self, now: float) -> Life:
        """Return the life with its silence beginning now: until now it was us who could not hear."""
        return Life(self.state, now, 0, self.hangs) if self.state is State.SUSPECT else self


def next_check_after_s(failures: int, every_s: float = CHECK_EVERY_S) -> float:
    """Return the seconds from a check to the next one, after so many failures in a row."""
    doublings = min(max(0, failures - _STEADY_FAILURES), _DOUBLINGS)
    return float(min(every_s * 2**doublings, BACKOFF_LIMIT_S))
