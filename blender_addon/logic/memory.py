"""Services as the preferences keep them until the next start, and back again."""

from __future__ import annotations

from dataclasses import dataclass

from hybridisco import Service, SourceName, Status, UsageError, clean_text, parse_target

from .words import say

#: Services that are kept: as many as the library lets in from the LAN.
LIMIT = 1024

_ID_LIMIT = 300  # characters; as in the settings


@dataclass(frozen=True, slots=True)
class Remembered:
    """One service in the preferences. Times are seconds since the epoch."""

    service_id: str
    kind: str
    title: str
    host: str
    url: str
    status: str
    version: str = ""
    sources: str = ""
    last_seen: float = 0.0


def remembered(service: Service) -> Remembered:
    """Return what is kept of a service."""
    return Remembered(
        service_id=service.id,
        kind=service.kind,
        title=service.name,
        host=service.host,
        url=service.url,
        status=service.status.value,
        version=service.version or "",
        sources=",".join(service.sources),
        last_seen=service.last_seen,
    )


def not_checked() -> str:
    """Return what is said of a service that is known from before."""
    return say("It is known from before, and has not been checked yet.")


def last_known(kept: Remembered) -> Service | None:
    """Return a kept service as it is shown until it was checked, or None if what was kept makes no sense.

    One that was not trusted is not shown again either: it would look like any other.
    """
    if kept.status == Status.UNTRUSTED:
        return None
    try:
        target = parse_target(kept.url)
        endpoint = target.endpoint()
    except UsageError:
        return None
    if not kept.kind.isprintable() or not 0 < len(kept.kind) <= _ID_LIMIT:
        return None
    if not kept.service_id.isprintable() or not 0 < len(kept.service_id) <= _ID_LIMIT:
        return None
    known = set(SourceName)
    return Service(
        id=kept.service_id,
        kind=kept.kind,
        name=clean_text(kept.title) or target.url,
        host=clean_text(kept.host) or target.host,
        endpoints=(endpoint,),
        status=Status.STALE,
        problem=not_checked(),
        verified=False,
        version=clean_text(kept.version),
        capabilities=(),
        properties=(),
        sources=tuple(SourceName(name) for name in kept.sources.split(",") if name in known),
        latency_ms=None,
        first_seen=0.0,  # not kept
        last_seen=kept.last_seen,
    )
