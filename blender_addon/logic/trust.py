"""Services that are announced by somebody who may not, and what is said of signatures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from hybridisco import Service, SourceName, Status

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
