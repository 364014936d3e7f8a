"""Services that are announced by somebody who may not: what is said of them, and of a new key that may be accepted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from hybridisco import Service, SourceName, Status

from .headline import moment
from .words import say

_SIGNED_WORDS: dict[str, str] = {
    "pinned": "Known key",
    "new": "New key",
    "unsigned": "Not signed",
    "unchecked": "Not checked",
}


class KeyChange(Protocol):
    """What discovery tells of a key that was refused: see :meth:`hybridisco.DiscoveryThread.key_changes`."""

    @property
    def key(self) -> str: ...

    @property
    def new(self) -> str: ...

    @property
    def seen_at(self) -> float: ...

    @property
    def known(self) -> str | None: ...

    @property
    def known_since(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Fact:
    """A heading and what stands below it."""

    heading: str
    text: str


def untrusted(service: Service) -> bool:
    """Whether somebody announces it who may not: it is shown, but never offered."""
    return service.status is Status.UNTRUSTED


def count_untrusted(services: Iterable[Service]) -> int:
    """Return how many are not trusted."""
    return sum(untrusted(service) for service in services)


def announced_id(service: Service) -> str:
    """Return the id that a service is announced by: that of an untrusted one has its place after it."""
    return service.id.partition("~")[0] if untrusted(service) else service.id


def signed(service: Service, *, last_known: bool = False) -> str:
    """Return what is said of the signature of its announcement; empty where nobody announces it, or it tells nothing.

    :param last_known: it is known from before: signatures are not kept.
    """
    if last_known or untrusted(service) or SourceName.MDNS not in service.sources:
        return ""
    return say(_SIGNED_WORDS[service.trust])


def question(change: KeyChange, now: float) -> tuple[Fact, ...]:
    """Return what a person compares before he accepts a new key. ``now`` is in seconds since the epoch."""
    known = change.known or say("None: the first one that was seen")
    if change.known and change.known_since:
        known = say("{key} (since {time})", key=change.known, time=moment(change.known_since, now))
    new = say("{key} (since {time})", key=change.new, time=moment(change.seen_at, now))
    return (
        Fact(say("Known key"), known),
        Fact(say("New key"), new),
        Fact(
            say("When to accept it"),
            say(
                "Only if you know why it changed: the machine or its sidecar was set up anew. There, “hybridisco trust "
                "list” shows the right key. In doubt, cancel: somebody may pretend to be that machine."
            ),
        ),
    )
