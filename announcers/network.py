"""The network of this machine as a sidecar needs it: which addresses may be told, and when that has changed.

On Linux the kernel tells of every change (rtnetlink(7)); elsewhere, and in case a message was lost, addresses are
compared every other second. A machine that slept notices by its clocks, since the one that counts only while it is
awake falls behind.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from ipaddress import IPv6Address
from pathlib import Path

from hybridisco import NetworkInterface, lan_interfaces, network_interfaces

POLL_S = 2.0
_FRESH_S = 1.0  # so long what was read of the interfaces is taken for true, unless the kernel tells of a change
SETTLE_S = 0.3  # an interface that comes up changes five times in a row
_SLEPT_S = 5.0  # wall clock against monotonic clock; clocks that are set jump by less, or hardly ever
_GROUPS = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
_IF_INET6 = Path("/proc/net/if_inet6")
_UNFIT = 0x01 | 0x08 | 0x20 | 0x40  # IFA_F_TEMPORARY, _DADFAILED, _DEPRECATED, _TENTATIVE (linux/if_addr.h)
_TEMPORARY = 0x01
_DEAD = frozenset({"down", "lowerlayerdown", "notpresent"})  # RFC 2863; a card that cannot tell is "unknown"

#: What is compared: interfaces with their addresses, and whether each carries traffic.
State = tuple[tuple[NetworkInterface, str], ...]


def announceable(
    only: tuple[str, ...] = (), *, bridges: bool = False, temporary: bool = False
) -> tuple[NetworkInterface, ...]:
    """Return the interfaces to announce on, each with the addresses that may be told; none without a carrier.

    :param only: names of interfaces; all that lead to a LAN when empty.
    :param bridges: also those of containers and virtual machines.
    :param temporary: also the IPv6 addresses of RFC 8981, which change every day.
    """
    return _announceable(only, bridges, temporary, int(time.monotonic() / _FRESH_S))


@lru_cache(maxsize=64)  # every backend asks, every few seconds
def _announceable(only: tuple[str, ...], bridges: bool, temporary: bool, when: int) -> tuple[NetworkInterface, ...]:
    if bridges and not only:
        chosen = tuple(link for link in network_interfaces() if not link.loopback)
    else:
        chosen = lan_interfaces(only)
    unfit = _unfit_addresses(temporary)
    kept = (
        replace(link, addresses=tuple(a for a in link.addresses if (link.name, str(a.ip)) not in unfit))
        for link in chosen
        if _carrier(link.name) not in _DEAD
    )
    return tuple(link for link in kept if link.addresses)


def _unfit_addresses(temporary: bool) -> frozenset[tuple[str, str]]:
    """Return the IPv6 addresses that must not be told, with their interfaces; none where nobody can tell."""
    mask = _UNFIT & ~_TEMPORARY if temporary else _UNFIT
    found = set()
    with suppress(OSError, ValueError):
        for line in _IF_INET6.read_text(encoding="ascii").splitlines():
            digits, _, _, _, flags, name = line.split()
            if int(flags, 16) & mask:
                found.add((name, str(IPv6Address(bytes.fromhex(digits)))))
    return frozenset(found)


def state(links: tuple[NetworkInterface, ...]) -> State:
    """Return what is compared to notice a change: also that a cable was pulled and put back."""
    return tuple((link, _carrier(link.name)) for link in links)


def _carrier(name: str) -> str:
    try:
        return Path("/sys/class/net", name, "operstate").read_text(encoding="ascii").strip()
    except OSError:
        return ""


class NetworkWatch:
    """Tells when something may have changed: ``with NetworkWatch() as watch: await watch.stirred()``.

    :param clocks: gives the wall clock and the monotonic clock, in seconds.
    """

    def __init__(self, clocks: Callable[[], tuple[float, float]] = lambda: (time.time(), time.monotonic())) -> None:
        self._clocks = clocks
        self._offset = _difference(clocks())
        self._socket: socket.socket | None = None
        self._event = asyncio.Event()

    def __enter__(self) -> NetworkWatch:
        if sys.platform == "linux":
            with suppress(OSError):  # a sandbox may forbid it: then the poll is all there is
                self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
                self._socket.bind((0, _GROUPS))
                self._socket.setblocking(False)
                asyncio.get_running_loop().add_reader(self._socket, self._read, self._socket)
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    async def stirred(self) -> bool:
        """Return when it is worth a look, every other second at the latest; True if this machine slept meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._event.wait()
            await asyncio.sleep(SETTLE_S)
        self._event.clear()
        _announceable.cache_clear()
        offset = _difference(self._clocks())
        slept = offset - self._offset > _SLEPT_S
        self._offset = offset
        return slept

    def _read(self, sock: socket.socket) -> None:
        with suppress(OSError):  # ENOBUFS: messages were lost, which is a reason to look, too
            while sock.recv(65536):
                pass
        self._event.set()


def _difference(clocks: tuple[float, float]) -> float:
    wall, monotonic = clocks
    return wall - monotonic
