"""The JSON document of ``list --json``, and the event lines of ``watch --json``. The schema is a promise.

Text is escaped to ASCII, so that it comes through any terminal, pipe and code page unharmed.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

from hybridisco.core.model import Endpoint, Event, Service, Snapshot, SourceName
from hybridisco.formats import Look

#: Raised when a key changes its meaning or goes away. New keys may come at any time.
SCHEMA = 1


def render(snapshot: Snapshot, look: Look) -> str:
    """Return the whole snapshot as one JSON document."""
    return json.dumps(document(snapshot), indent=2, allow_nan=False)


def event_line(event: Event) -> str:
    """Return one event as one line of JSON."""
    return json.dumps({"event": event.type.value, "service": service(event.service)}, allow_nan=False)


def document(snapshot: Snapshot) -> dict[str, Any]:
    """Return the snapshot as plain data."""
    return {
        "schema": SCHEMA,
        "complete": snapshot.complete,
        "elapsed_s": _number(snapshot.elapsed_s, 3),
        "sources": {
            name.value: {"state": state.state, "detail": state.detail or None} for name, state in snapshot.sources
        },
        "services": [service(one) for one in snapshot.services],
    }


def service(one: Service) -> dict[str, Any]:
    """Return one service as plain data."""
    return {
        "id": one.id,
        "kind": one.kind,
        "name": one.name,
        "host": one.host,
        "status": one.status.value,
        "problem": one.problem,
        "verified": one.verified,
        "url": one.url,
        "endpoints": [_endpoint(endpoint) for endpoint in one.endpoints],
        "sources": [source.value for source in one.sources],
        "version": one.version,
        "capabilities": list(one.capabilities),
        "properties": {key: _number(value) if isinstance(value, float) else value for key, value in one.properties},
        "latency_ms": _number(one.latency_ms, 1),
        "first_seen": _time(one.first_seen),
        "last_seen": _time(one.last_seen),
        "trust": one.trust.value if SourceName.MDNS in one.sources else None,
    }


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "url": endpoint.url,
        "address": endpoint.address or None,
        "port": endpoint.port,
        "family": endpoint.family,
        "interface": endpoint.interface,
        "reachable": endpoint.reachable,
        "latency_ms": _number(endpoint.latency_ms, 1),
    }


def _number(value: float | None, digits: int | None = None) -> float | None:
    """Return a number as JSON can hold it: rounded, and null instead of NaN and infinity."""
    if value is None or not math.isfinite(value):
        return None
    return value if digits is None else round(float(value), digits)


def _time(seconds: float) -> str | None:
    """Return seconds since the epoch as ISO 8601 in UTC; null for a time that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None
