"""Shell variables: the best service of each kind, for ``eval``, ``.env`` files and ``docker run --env-file``."""

from __future__ import annotations

import re
import shlex

from hybridisco.core.model import ALIVE, Service, Snapshot, status_rank
from hybridisco.formats import Look


def render(snapshot: Snapshot, look: Look) -> str:
    """Return ``HYBRIDISCO_COMFYUI_URL=http://…`` lines, sorted; only of services that answer."""
    best: dict[str, Service] = {}
    for service in snapshot.services:
        if service.status in ALIVE and (service.kind not in best or _rank(service) < _rank(best[service.kind])):
            best[service.kind] = service
    return "\n".join(f"{variable(kind)}={shlex.quote(best[kind].url)}" for kind in sorted(best))


def variable(kind: str) -> str:
    """Return the name of the variable of a kind."""
    return f"HYBRIDISCO_{re.sub('[^A-Z0-9]', '_', kind.upper())}_URL"


def _rank(service: Service) -> tuple[int, float, str]:
    latency_ms = service.latency_ms
    return (status_rank(service.status), float("inf") if latency_ms is None else latency_ms, service.id)
