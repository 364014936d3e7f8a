"""Which services the list shows, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from hybridisco import Service, status_rank

ANY = "ANY"
NAME, STATUS, KIND, LATENCY, HOST = SORTS = ("NAME", "STATUS", "KIND", "LATENCY", "HOST")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user wants to see. ``kind`` and ``status`` are :data:`ANY` for no limit; ``search`` is words.

    ``ignored`` are ids of services that are never shown.
    """

    search: str = ""
    kind: str = ANY
    status: str = ANY
    sort_by: str = NAME
    reverse: bool = False
    ignored: frozenset[str] = frozenset()

    @property
    def narrows(self) -> bool:
        """Whether the user has narrowed the list down."""
        return bool(self.search.strip()) or self.kind != ANY or self.status != ANY


def visible(services: Iterable[Service], ignored: Collection[str]) -> tuple[Service, ...]:
    """Return what is there for the user at all: without what is ignored, and without nameless web servers."""
    return tuple(service for service in services if service.id not in ignored and not service.nameless)


def listed(services: Iterable[Service], wanted: Wanted) -> tuple[Service, ...]:
    """Return what the list shows, in its order."""
    words = wanted.search.casefold().split()
    shown = [
        service
        for service in visible(services, wanted.ignored)
        if wanted.kind in (ANY, service.kind)
        and wanted.status in (ANY, service.status.value)
        and all(word in _text(service) for word in words)
    ]
    return tuple(sorted(shown, key=lambda service: _place(service, wanted.sort_by), reverse=wanted.reverse))


def _text(service: Service) -> str:
    """Return what a search looks at."""
    parts = (service.name, service.kind, service.host, service.url, service.version or "", *service.capabilities)
    return " ".join(parts).casefold()


def _place(service: Service, sort_by: str) -> tuple[object, ...]:
    name = (service.name.casefold(), service.id)
    if sort_by == STATUS:
        return (status_rank(service.status), *name)
    if sort_by == KIND:
        return (service.kind, *name)
    if sort_by == HOST:
        return (service.host.casefold(), *name)
    if sort_by == LATENCY:
        return (service.latency_ms is None, service.latency_ms or 0.0, *name)
    return name
