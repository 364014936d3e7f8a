"""One event as one line of text, for ``watch`` into a pipe."""

from __future__ import annotations

from hybridisco.core.model import Event, Status


def event_line(event: Event) -> str:
    """Return the event in words: what happened, to whom, where, how it is now, and why that one is not to be used."""
    service = event.service
    kind = f"{service.kind} {service.version}" if service.version else service.kind
    why = f"  {service.problem}" if service.status is Status.UNTRUSTED and service.problem else ""
    return f"{event.type.value:7}  {service.status.value:11}  {service.name}  ({kind})  {service.url}{why}"
