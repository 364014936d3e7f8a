"""An extension that bundles an old zeroconf, imports it when it is registered, and uses it."""

from __future__ import annotations

from typing import Any

from zeroconf import ServiceInfo, Zeroconf, __version__


def state() -> dict[str, Any]:
    """Which zeroconf it has, and whether it works: it opens its sockets and makes a record."""
    import zeroconf

    engine = Zeroconf(interfaces=["127.0.0.1"])
    engine.close()
    info = ServiceInfo("_device._udp.local.", "One._device._udp.local.", port=1, addresses=[b"\x7f\0\0\1"])
    return {"version": __version__, "file": zeroconf.__file__, "record": info.name}


def register() -> None:
    state()


def unregister() -> None:
    pass
