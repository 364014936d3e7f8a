"""Hybridisco finds AI backends: announced on the LAN, unannounced on this machine, or written down by hand.

::

    import asyncio, hybridisco

    async def main() -> None:
        async with hybridisco.ServiceDiscoveryManager() as manager:
            comfyui = await manager.discover_service("comfyui")
            print(comfyui.url if comfyui else "none")

    asyncio.run(main())

==============================  =======================================================================
:class:`ServiceDiscoveryManager`  discovery for asyncio programs: once, or for as long as it runs
:class:`DiscoveryThread`          the same in a thread of its own, for synchronous hosts such as Blender
:class:`ServiceRegistry`          the merged truth; thread-safe, with revisions and subscribers
:class:`Service`, :class:`Endpoint`, :class:`Status`, :class:`Snapshot`, :class:`Event`   what they tell
:class:`Config`, :func:`load_config`  the user's settings
:class:`HybridiscoError`          the base of all exceptions (:mod:`hybridisco.core.errors`)
==============================  =======================================================================

Importing this package loads none of its dependencies; each is imported by what needs it, when it needs it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from hybridisco._version import __version__

if TYPE_CHECKING:
    from hybridisco.config import Config
    from hybridisco.config import load as load_config
    from hybridisco.core.errors import AnnounceError, ConfigError, DiscoveryError, HybridiscoError, UsageError
    from hybridisco.core.kind import Kind
    from hybridisco.core.model import Endpoint, Event, EventType, Service, Snapshot, SourceName, Status
    from hybridisco.manager import ServiceDiscoveryManager
    from hybridisco.registry import ServiceRegistry
    from hybridisco.thread import DiscoveryThread

_WHERE = {
    "ServiceDiscoveryManager": "hybridisco.manager",
    "DiscoveryThread": "hybridisco.thread",
    "ServiceRegistry": "hybridisco.registry",
    "Config": "hybridisco.config",
    "load_config": "hybridisco.config:load",
    "Kind": "hybridisco.core.kind",
    **dict.fromkeys(
        ("Endpoint", "Event", "EventType", "Service", "Snapshot", "SourceName", "Status"), "hybridisco.core.model"
    ),
    **dict.fromkeys(
        ("HybridiscoError", "ConfigError", "UsageError", "DiscoveryError", "AnnounceError"), "hybridisco.core.errors"
    ),
}

__all__ = [
    "AnnounceError",
    "Config",
    "ConfigError",
    "DiscoveryError",
    "DiscoveryThread",
    "Endpoint",
    "Event",
    "EventType",
    "HybridiscoError",
    "Kind",
    "Service",
    "ServiceDiscoveryManager",
    "ServiceRegistry",
    "Snapshot",
    "SourceName",
    "Status",
    "UsageError",
    "__version__",
    "load_config",
]


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _WHERE[name].partition(":")
    value = getattr(importlib.import_module(module), attribute or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
