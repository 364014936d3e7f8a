"""An extension that asks Hybridisco, if that is there."""

from __future__ import annotations

import importlib
from typing import Any

import bpy

CALLS: list[list[str]] = []
_stop: Any = None


def hybridisco() -> Any:
    """Its API, or None where it is not installed or switched off: as the API's own text says to look it up."""
    for name in bpy.context.preferences.addons.keys():  # noqa: SIM118 - no dictionary
        if name.startswith("bl_ext.") and name.endswith(".hybridisco"):
            return importlib.import_module(f"{name}.api")
    return None


def look() -> dict[str, Any] | None:
    """What it says now."""
    api = hybridisco()
    if api is None:
        return None
    selected = api.selected("comfyui")
    return {
        "services": [service.kind for service in api.services()],
        "online comfyui": [service.url for service in api.services(kind="comfyui", status="online")],
        "selected": selected and selected.id,
    }


def changed(services: Any) -> None:
    """Called by Hybridisco, on the main thread."""
    CALLS.append([service.kind for service in services])


def register() -> None:
    global _stop
    api = hybridisco()
    if api is not None:
        _stop = api.subscribe(changed)


def unregister() -> None:
    global _stop
    if _stop is not None:
        _stop()
    _stop = None
