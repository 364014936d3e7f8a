"""Targets for Prometheus, as its ``file_sd_configs`` and ``http_sd_configs`` read them.

Every service is a target, whatever its status: an alert wants to know of what is gone. Relabelling can keep
or drop by ``__meta_hybridisco_status`` and the other labels.
"""

from __future__ import annotations

import json
from typing import Any

from hybridisco.core.model import Endpoint, Service, Snapshot
from hybridisco.formats import Look


def render(snapshot: Snapshot, look: Look) -> str:
    """Return the list of target groups, one for each service."""
    return json.dumps([_group(service) for service in snapshot.services], indent=2)


def _group(service: Service) -> dict[str, Any]:
    labels = {
        "id": service.id,
        "kind": service.kind,
        "name": service.name,
        "host": service.host,
        "status": service.status.value,
        "version": service.version,
        "url": service.url,
        "path": service.endpoints[0].path,
        "sources": f",{','.join(service.sources)},",  # with commas around, as Prometheus' own lists are
        "capabilities": f",{','.join(service.capabilities)}," if service.capabilities else "",
    }
    return {
        "targets": [_address(service.endpoints[0])],
        "labels": {
            "__scheme__": "https" if service.endpoints[0].tls else "http",
            **{f"__meta_hybridisco_{key}": value or "" for key, value in labels.items()},
        },
    }


def _address(endpoint: Endpoint) -> str:
    name = endpoint.host or endpoint.dial
    return f"[{name}]:{endpoint.port}" if ":" in name else f"{name}:{endpoint.port}"
