"""Entries in few words."""

from __future__ import annotations

from typing import Any

from hybridisco.memory.entry import Entry
from tests.say import NOW, at


def entry(service_id: str | None, *addresses: str, port: int = 8188, **more: Any) -> Entry:
    """A ComfyUI that was seen just now."""
    host = f"{service_id or 'gpu'}-box.local".lower()
    more = {"since": int(NOW), "seen_at": int(NOW), "name": "ComfyUI", "host": host, **more}
    return Entry("comfyui", tuple(at(address, port) for address in addresses or ("10.0.0.1",)), service_id, **more)
