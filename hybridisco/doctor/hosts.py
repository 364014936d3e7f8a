"""Gathers what other machines do: their addresses, and whether they answer to TCP and on the link."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from hybridisco.config import Config
from hybridisco.core import target
from hybridisco.core.identity import THIS_MACHINE
from hybridisco.core.target import Target
from hybridisco.doctor.facts import HostFacts, Link, Reply, Tcp
from hybridisco.sources.resolve import resolve

CONNECT_S = 1.0
_HOST_LIMIT = 16  # hosts that are asked
_COMPLETE = 0x2  # ATF_COM in /proc/net/arp: the neighbour has answered
#: Ports at which a machine that is up accepts or refuses: ours, then SSH, web, Windows.
_PORTS = (8188, 7860, 22, 80, 445)

_OUTCOMES = {
    errno.ECONNREFUSED: Tcp.REFUSED,
    errno.ECONNRESET: Tcp.ACCEPTED,  # somebody was there to hang up
    errno.ETIMEDOUT: Tcp.TIMEOUT,
    errno.ENETUNREACH: Tcp.UNROUTABLE,
    errno.EADDRNOTAVAIL: Tcp.UNROUTABLE,
    errno.EHOSTUNREACH: Tcp.NO_ROUTE,
    errno.EHOSTDOWN: Tcp.NO_ROUTE,
    errno.EPERM: Tcp.DENIED,
    errno.EACCES: Tcp.DENIED,
}


def named(config: Config, asked: Iterable[Target]) -> tuple[Target, ...]:
    """Return the other machines that are known without mDNS: asked for, probed, or written down; each once."""
    every = [*asked, *map(target.parse, config.probe_hosts), *(entry.target for entry in config.services)]
    ports: dict[tuple[str, str | None], Target] = {}
    for one in every:
        if not _is_here(one):
            key = (one.host, one.zone)
            ports[key] = one if key not in ports or ports[key].port is None else ports[key]
    return tuple(ports.values())[:_HOST_LIMIT]


def _is_here(host: Target) -> bool:
    return host.host == THIS_MACHINE or (host.is_address and ip_address(host.host).is_loopback)


async def gather(hosts: Sequence[Target], links: Sequence[Link]) -> tuple[HostFacts, ...]:
    """Return what each host does."""
    return tuple(await asyncio.gather(*(_look(host, links) for host in hosts)))


async def _look(host: Target, links: Sequence[Link]) -> HostFacts:
    found = await resolve(host.host, host.zone)
    addresses = tuple(f"{address}%{zone}" if zone else address for address, zone in found)
    own = {str(a.ip) for link in links for a in link.interface.addresses}
    if any(address.partition("%")[0] in own for address in addresses):  # there is nothing to test
        return HostFacts(host.host, here=True)
    ports = (host.port, *_PORTS) if host.port else _PORTS
    replies = await connect_all([(address, port) for address in addresses for port in dict.fromkeys(ports)])
    return HostFacts(
        name=f"{host.host}%{host.zone}" if host.zone else host.host,
        addresses=addresses,
        links=tuple((address, name) for address in addresses if (name := link_towards(links, address))),
        replies=replies,
        neighbour=neighbour(addresses),
    )


def link_towards(links: Sequence[Link], address: str) -> str | None:
    """Return the interface in whose subnet an address lies, or None if a router stands between."""
    bare, _, zone = address.partition("%")
    ip = ip_address(bare)
    for link in links:
        if zone and zone not in (link.name, str(link.interface.index)):
            continue
        if any(ip in own.network for own in link.interface.addresses if own.version == ip.version):
            return link.name
    return None


async def connect_all(targets: Iterable[tuple[str, int]]) -> tuple[Reply, ...]:
    """Try all at once."""
    return tuple(await asyncio.gather(*(_connect(address, port) for address, port in targets)))


async def _connect(address: str, port: int) -> Reply:
    """Open a TCP connection and close it again; no byte is sent."""
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return Reply(address, port, Tcp.TIMEOUT)
    except (OSError, socket.gaierror) as error:
        return Reply(address, port, _OUTCOMES.get(error.errno or 0, Tcp.FAILED))
    writer.transport.abort()
    return Reply(address, port, Tcp.ACCEPTED)


def neighbour(addresses: Iterable[str]) -> bool | None:
    """Return whether one of the addresses answers on the link itself, by Linux' ARP table; None: not known.

    To be asked after something was sent to them: then every on-link address stands in the table.
    """
    with suppress(OSError):
        return in_arp(Path("/proc/net/arp").read_text(encoding="ascii"), addresses)
    return None


def in_arp(table: str, addresses: Iterable[str]) -> bool | None:
    """Return the same from the table's text (proc(5))."""
    rows = (line.split() for line in table.splitlines()[1:])
    flags = {fields[0]: int(fields[2], 16) for fields in rows if len(fields) >= 6}
    known = [bool(flags[address] & _COMPLETE) for address in addresses if address in flags]
    return any(known) if known else None
