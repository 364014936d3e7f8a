"""Entries as octets, and back. Pure; whatever is wrong in a file is dropped and counted, and raises nothing.

The file is the user's own, but it may be damaged, or written by another version; what is read from it goes through the
same edge as what comes from the network.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hybridisco.core import safe
from hybridisco.core.model import Endpoint
from hybridisco.memory.entry import ENDPOINT_LIMIT, Entry

VERSION = 1
SIZE_LIMIT = 1024 * 1024  # octets; a usual entry has 300
LIMIT = 256  # entries; a large studio has some dozens

_CAPABILITIES = 12  # as a TXT record
_KEY_LIMIT = 64  # characters; a key has 43
_TIME_LIMIT = 2**40
_NUMBERS = ("since", "seen_at", "missed", "missed_at")


@dataclass(frozen=True, slots=True)
class Page:
    """What a file says. ``dropped`` counts what cannot be right; ``foreign``: a newer version wrote it."""

    entries: tuple[Entry, ...] = ()
    dropped: int = 0
    foreign: bool = False


def read(data: bytes) -> Page:
    """Return what ``data`` says. Never raises."""
    if not data:
        return Page()
    try:
        said = json.loads(data[: SIZE_LIMIT + 1])
    except (ValueError, RecursionError):
        return Page(dropped=1)
    if not isinstance(said, dict) or not isinstance(said.get("services"), list):
        return Page(dropped=1)
    version = safe.whole(said.get("version"), 1, 1_000_000)
    if version != VERSION:
        return Page(dropped=version is None, foreign=version is not None)
    told = said["services"][:LIMIT]
    entries = [entry for each in told if (entry := _entry(each)) is not None]
    return Page(tuple(entries), len(said["services"]) - len(entries))


def write(entries: Iterable[Entry]) -> bytes:
    """Return the file that says this: one entry a line, for people."""
    lines = ",\n".join(json.dumps(_table(entry), ensure_ascii=False) for entry in entries)
    return f'{{"version": {VERSION}, "services": [\n{lines}\n]}}\n'.encode("utf-8", "replace")


def _table(entry: Entry) -> dict[str, Any]:
    said = {
        "id": entry.id,
        "kind": entry.kind,
        "name": entry.name,
        "host": entry.host,
        "endpoints": [_place(endpoint) for endpoint in entry.endpoints],
        "version": entry.version,
        "capabilities": list(entry.capabilities),
        "key": entry.key,
        "live": entry.live,
        "since": entry.since,
        "seen_at": entry.seen_at,
        "missed": entry.missed,
        "missed_at": entry.missed_at,
    }
    return {key: value for key, value in said.items() if value}


def _place(endpoint: Endpoint) -> dict[str, Any]:
    said = {"address": endpoint.address, "port": endpoint.port, "interface": endpoint.interface}
    more = {"tls": endpoint.tls, "path": None if endpoint.path == "/" else endpoint.path}
    return {key: value for key, value in {**said, **more}.items() if value}


def _entry(said: object) -> Entry | None:
    if not isinstance(said, dict):
        return None
    kind, service_id, key = safe.kind_id(said.get("kind")), said.get("id"), said.get("key")
    places = said.get("endpoints")
    endpoints = [_endpoint(each) for each in places[:ENDPOINT_LIMIT]] if isinstance(places, list) else []
    if kind is None or not endpoints or (service_id is not None and safe.service_id(service_id) is None):
        return None
    if key is not None and not (isinstance(key, str) and key.isascii() and 0 < len(key) <= _KEY_LIMIT):
        return None  # it had an owner: without his key it would look like anybody's
    known = tuple(endpoint for endpoint in endpoints if endpoint is not None)
    if len(known) < len(endpoints):
        return None
    words = said.get("capabilities")
    return Entry(
        kind=kind,
        endpoints=known,
        id=service_id,
        name=safe.text(said.get("name")),
        host=safe.host(said.get("host")),
        version=safe.text(said.get("version"), safe.VERSION_LIMIT),
        capabilities=_words(words) if isinstance(words, list) else (),
        key=key,
        live=safe.whole(said.get("live"), 1, 65535),
        **{each: safe.whole(said.get(each), 0, _TIME_LIMIT) or 0 for each in _NUMBERS},
    )


def _endpoint(said: object) -> Endpoint | None:
    if not isinstance(said, dict):
        return None
    address, interface = said.get("address"), said.get("interface")
    known = safe.announced_address(address) if isinstance(address, str) else None
    port, path = safe.whole(said.get("port"), 1, 65535), safe.announced_path(said.get("path", "/"))
    named = interface is None or (isinstance(interface, str) and safe.text(interface) == interface)
    if known is None or port is None or port in safe.FOREIGN_PORTS or path is None or not named:
        return None
    return Endpoint(known, port, said.get("tls") is True, path, interface=interface)


def _words(said: list[object]) -> tuple[str, ...]:
    return tuple(word for each in said[:_CAPABILITIES] if (word := safe.kind_id(each)))
