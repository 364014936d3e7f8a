"""One URL a line, for pipes."""

from __future__ import annotations

from hybridisco.core.model import ALIVE, Snapshot
from hybridisco.formats import Look


def render(snapshot: Snapshot, look: Look) -> str:
    """Return the URLs of the services that answer."""
    return "\n".join(service.url for service in snapshot.services if service.status in ALIVE)
