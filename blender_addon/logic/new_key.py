"""What a person is shown before he accepts a new key."""

from __future__ import annotations

from dataclasses import dataclass

from .headline import moment
from .trust import KeyChange
from .words import say


@dataclass(frozen=True, slots=True)
class Fact:
    """A heading and the lines below it."""

    heading: str
    lines: tuple[str, ...]


def question(change: KeyChange, now: float) -> tuple[Fact, ...]:
    """Return what a person compares before he accepts a new key. ``now`` is in seconds since the epoch."""
    known = (change.known, _since(change.known_since, now)) if change.known else (say("None is known."),)
    return (
        Fact(say("Known key"), known),
        Fact(say("New key"), (change.new, _since(change.seen_at, now))),
        Fact(
            say("When to accept it"),
            (
                say("Only if you know why it changed: its machine or sidecar was set up anew."),
                say("“hybridisco announce status” on that machine shows the right key."),
                say("In doubt, cancel: somebody may pretend to be that machine."),
            ),
        ),
    )


def _since(seconds: float | None, now: float) -> str:
    return say("Seen since {time}", time=moment(seconds or 0.0, now))
