"""The network of this machine as a sidecar needs it: which addresses may be told, and whether that has changed."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from ipaddress import IPv6Address
from pathlib import Path

from hybridisco import NetworkInterface, carries_traffic, lan_interfaces, network_interfaces

_FRESH_S = 1.0  # so long what was read of the interfaces is taken for true, unless the kernel tells of a change
_IF_INET6 = Path("/proc/net/if_inet6")
_UNFIT = 0x01 | 0x08 | 0x20 | 0x40  # IFA_F_TEMPORARY, _DADFAILED, _DEPRECATED, _TENTATIVE (linux/if_addr.h)
_TEMPORARY = 0x01

#: What is compared: interfaces with their addresses, and whether each carries traffic.
State = tuple[tuple[NetworkInterface, bool], ...]


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
        if carries_traffic(link.name)
    )
    return tuple(link for link in kept if link.addresses)


def forget() -> None:
    """Read the interfaces anew at the next question: the kernel has told of a change."""
    _announceable.cache_clear()


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
    return tuple((link, carries_traffic(link.name)) for link in links)
