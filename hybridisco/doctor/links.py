"""Gathers the network interfaces: what each is, which of them discovery uses, and where the default route goes."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from hybridisco.doctor.facts import Family, Link, Links
from hybridisco.sources.interfaces import Interface, interfaces, usable

# SIOCGIFFLAGS: reads an interface's flags (netdevice(7)); each system numbers it in its own way.
_GET_FLAGS = {"linux": 0x8913, "darwin": 0xC0206911}
_UP, _POINT_TO_POINT, _RUNNING = 0x1, 0x10, 0x40
_MULTICAST = {"linux": 0x1000, "darwin": 0x8000}
# Addresses kept for documentation (RFC 5737, RFC 3849). "Connecting" a UDP socket sends nothing: it only asks the
# system which way a packet would take, with policy routing and VPNs taken into account.
_WORLD: tuple[tuple[Family, socket.AddressFamily, str], ...] = (
    ("ipv4", socket.AF_INET, "203.0.113.1"),
    ("ipv6", socket.AF_INET6, "2001:db8:ffff::1"),
)


def gather(only: tuple[str, ...] = ()) -> Links:
    """Return all interfaces, also those without an address. ``only`` are those that the settings name."""
    known = {interface.name: interface for interface in interfaces()}
    bare: dict[str, int] = {}
    if sys.platform != "win32":  # there these names are other ones than ifaddr's
        with suppress(OSError):
            bare = {name: index for index, name in socket.if_nameindex() if name not in known}
    every = (*known.values(), *(Interface(name, index, ()) for name, index in bare.items()))
    return Links(
        every=tuple(_link(interface) for interface in every),
        usable=tuple(
            interface.name
            for interface in usable(tuple(known.values()), only)
            if not interface.loopback and (only or not interface.virtual)
        ),
        default=_default(known.values()),
        ipv6=_has_ipv6(),
    )


def _link(interface: Interface) -> Link:
    flags = _flags(interface.name)

    def bit(mask: int) -> bool | None:
        return None if flags is None else bool(flags & mask)

    return Link(
        interface,
        up=bit(_UP),
        carrier=bit(_RUNNING),
        multicast=bit(_MULTICAST.get(sys.platform, 0)),
        point_to_point=bit(_POINT_TO_POINT),
        ipv6_disabled=_ipv6_disabled(interface.name),
    )


def _flags(name: str) -> int | None:
    """Return an interface's flags, or None where they cannot be had."""
    request = _GET_FLAGS.get(sys.platform)
    if request is None:
        return None
    import fcntl

    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            answer = fcntl.ioctl(sock.fileno(), request, struct.pack("16sH14x", name.encode()[:15], 0))
    except OSError:
        return None
    return int(struct.unpack_from("16xH", answer)[0])


def _ipv6_disabled(name: str) -> bool | None:
    try:
        return Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").read_text(encoding="ascii").strip() == "1"
    except OSError:
        return None


def _has_ipv6() -> bool:
    """Whether the system has IPv6 at all (a kernel may have been started without)."""
    if not socket.has_ipv6:
        return False
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()
    except OSError:
        return False
    return True


def _default(every: Iterable[Interface]) -> tuple[tuple[Family, str], ...]:
    """Return the interface that packets for the world leave by, for each family that has a way."""
    owners = {address.ip: interface.name for interface in every for address in interface.addresses}
    found: list[tuple[Family, str]] = []
    for family, number, world in _WORLD:
        with suppress(OSError), socket.socket(number, socket.SOCK_DGRAM) as sock:
            sock.connect((world, 9))
            own = str(sock.getsockname()[0]).partition("%")[0]
            if (name := owners.get(ip_address(own))) is not None:
                found.append((family, name))
    return tuple(found)
