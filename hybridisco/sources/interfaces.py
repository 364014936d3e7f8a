"""The network interfaces of this machine, and which of them are worth announcing and browsing on.

Only this file knows ifaddr and netifaces. netifaces is optional (Blender has none): without it the default
route is simply unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface
from pathlib import Path
from typing import Any

import ifaddr

# Switches of containers and virtual machines: nobody on the LAN is behind them. A name alone is a guess, so
# only names that these programs make themselves are listed; a plain "veth0" may be somebody's lab.
_VIRTUAL = re.compile(
    r"docker\d+|br-[0-9a-f]{12}|veth[0-9a-f]{7}|virbr\d+(-nic)?|vnet\d+|vmnet\d+|vboxnet\d+|lxc(br)?\d+|lxdbr\d+"
    r"|cni\d+|flannel\.\d+|cali[0-9a-f]{11}|podman\d+|vEthernet \((WSL|Default Switch).*\)"
)
_DEAD = frozenset({"down", "lowerlayerdown", "notpresent"})  # RFC 2863; a card that cannot tell is "unknown"


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface and its addresses. ``index`` is its IPv6 zone index (RFC 3493 section 4)."""

    name: str
    index: int
    addresses: tuple[IPv4Interface | IPv6Interface, ...]

    @property
    def loopback(self) -> bool:
        """Whether it only leads back to this machine."""
        return all(address.is_loopback for address in self.addresses)

    @property
    def virtual(self) -> bool:
        """Whether it is a switch for containers or virtual machines."""
        return _VIRTUAL.fullmatch(self.name) is not None


def interfaces() -> tuple[Interface, ...]:
    """Return the interfaces that have an address, by index."""
    found: dict[str, tuple[int, list[IPv4Interface | IPv6Interface]]] = {}
    for adapter in ifaddr.get_adapters():
        addresses = [
            ip_interface(f"{ip.ip[0] if isinstance(ip.ip, tuple) else ip.ip}/{ip.network_prefix}") for ip in adapter.ips
        ]
        if addresses:
            found[adapter.nice_name] = (adapter.index or 0, addresses)
    return tuple(
        Interface(name, index, tuple(addresses))
        for name, (index, addresses) in sorted(found.items(), key=lambda item: item[1][0])
    )


def carries_traffic(name: str) -> bool:
    """Return whether an interface has a carrier: False where the system knows that it has none."""
    try:
        state = Path("/sys/class/net", name, "operstate").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return True
    return state not in _DEAD


def usable(every: tuple[Interface, ...], only: tuple[str, ...] = ()) -> tuple[Interface, ...]:
    """Return the interfaces to speak mDNS on: those named in ``only``, else all that lead to a LAN.

    With no LAN at all the loopback interface is used, so that a machine finds itself.
    """
    if only:
        return tuple(interface for interface in every if interface.name in only)
    lan = tuple(interface for interface in every if not interface.loopback and not interface.virtual)
    return lan or every


def lan_interfaces(only: tuple[str, ...] = ()) -> tuple[Interface, ...]:
    """Return the interfaces of now that lead to a LAN (see :func:`usable`)."""
    return usable(interfaces(), only)


def choice(chosen: tuple[Interface, ...]) -> list[str | int]:
    """Return interfaces as zeroconf takes them: IPv4 addresses, and indexes for IPv6."""
    four = [str(a.ip) for interface in chosen for a in interface.addresses if a.version == 4]
    # IPv6 cannot join a group on the loopback interface everywhere; IPv4 is enough to find oneself.
    six = [
        interface.index
        for interface in chosen
        if not interface.loopback and any(a.version == 6 for a in interface.addresses)
    ]
    return [*four, *six]


def second_family(chosen: tuple[Interface, ...]) -> frozenset[str]:
    """Return the own IPv6 addresses of those interfaces that have an IPv4 address, too."""
    return frozenset(
        str(address.ip)
        for interface in chosen
        if any(address.version == 4 for address in interface.addresses)
        for address in interface.addresses
        if address.version == 6
    )


def local_addresses(every: tuple[Interface, ...]) -> frozenset[str]:
    """Return all addresses of this machine as they are dialled: link-local IPv6 with its zone."""
    return frozenset(
        f"{address.ip}%{interface.name}" if address.version == 6 and address.ip.is_link_local else str(address.ip)
        for interface in every
        for address in interface.addresses
    )


@lru_cache(maxsize=4096)
def _network_of(address: IPv4Interface | IPv6Interface) -> object:
    return address.network


def interface_towards(every: tuple[Interface, ...], address: str) -> str | None:
    """Return the name of the interface in whose subnet ``address`` lies, if one does."""
    ip = ip_address(address)
    for interface in every:
        for own in interface.addresses:
            if own.version == ip.version and not ip.is_link_local and ip in _network_of(own):  # type: ignore[operator]
                return interface.name
    return None


def gateways() -> frozenset[str]:
    """Return the addresses of the routers of the default routes; none where nobody can tell."""
    try:
        import netifaces
    except ImportError:
        return frozenset()
    told: Any = netifaces.gateways()
    families = (netifaces.AF_INET, netifaces.AF_INET6)
    return frozenset(str(route[0]).partition("%")[0] for family in families for route in told.get(family, ()))


def default_interface() -> str | None:
    """Return the interface of the default route, or None where netifaces cannot tell."""
    try:
        import netifaces
    except ImportError:
        return None
    gateways = netifaces.gateways()["default"]
    best = gateways.get(netifaces.AF_INET) or gateways.get(netifaces.AF_INET6)  # type: ignore[union-attr]
    return str(best[1]) if best else None
