"""Places that may be a backend but do not (yet) tell which: one that loads its model, or hides behind a login."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from hybridisco import Service, Status

from .words import say

_SHOWN = 3


def undecided(services: Iterable[Service], ignored: Collection[str]) -> tuple[str, ...]:
    """Return a sentence for each of the first few, and how many more there are."""
    found = [service for service in services if service.undecided and service.id not in ignored]
    lines = [_sentence(service) for service in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(say("The same is true of {number} more.", number=len(found) - _SHOWN))
    return tuple(lines)


def _sentence(service: Service) -> str:
    if service.status is Status.LOCKED:
        return say("{url} wants a login; what it is cannot be told without.", url=service.url)
    return say("{url} is not ready yet; what it is cannot be told so far.", url=service.url)
