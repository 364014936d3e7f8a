"""The line above the list, and how times are written."""

from __future__ import annotations

from datetime import datetime

from .follower import Phase, View
from .words import say


def headline(view: View, count: int, untrusted: int = 0) -> str:
    """Return what the panel says first: how many there are, and whether the search goes on. Fit for 230 pixels.

    :param untrusted: how many of them are announced by somebody who may not: that goes before when it was checked.
    """
    if view.phase is Phase.SEARCHING:
        return say("Searching… {count} so far", count=count) if count else say("Searching…")
    if view.phase is Phase.FAILED:
        return say("Discovery has stopped")
    if view.phase is Phase.OFF:
        return say("{count} from before", count=count) if count else say("Not searching")
    found = say("{count} services", count=count) if count > 1 else say("1 service") if count else say("Nothing found")
    if untrusted:
        return say("{found}, {number} not trusted", found=found, number=untrusted)
    return say("{found} · checked {time}", found=found, time=clock(view.searched_at)) if view.searched_at else found


def clock(seconds: float) -> str:
    """Return a time of day in the user's time zone, such as 14:03; empty for a time that no calendar has."""
    return _written(seconds, "%H:%M")


def moment(seconds: float, now: float) -> str:
    """Return a time with as much of its date as it needs to be understood at ``now``."""
    today = _written(now, "%Y-%m-%d") == _written(seconds, "%Y-%m-%d")
    return _written(seconds, "%H:%M:%S" if today else "%Y-%m-%d %H:%M")


def _written(seconds: float, how: str) -> str:
    try:
        return datetime.fromtimestamp(seconds).strftime(how)  # noqa: DTZ006 - the user's own clock is meant
    except (ValueError, OverflowError, OSError):
        return ""
