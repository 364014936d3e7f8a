"""Finds the backends that run on this machine, and tells the sidecar of those that come."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from announcers.assignment import Assignment
from hybridisco import Announcement, Kind, Probe, Sweep, Withdrawal, network_interfaces

log = logging.getLogger(__name__)

_TCP = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_HOSTS_EVERY_S = 30.0  # the system's list of sockets takes ten milliseconds to read
_LISTEN = "0A"  # TCP_LISTEN (net/tcp_states.h)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which backends of this machine are announced, and how.

    ``only`` are ids of kinds; every kind that is announced by default when empty. ``names`` are (kind, port or None,
    name). ``ports`` are ranges that are looked at besides every kind's own.
    """

    kinds: tuple[Kind, ...]
    only: tuple[str, ...] = ()
    ports: tuple[tuple[int, int], ...] = ()
    names: tuple[tuple[str, int | None, str], ...] = ()
    bind: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    bridges: bool = False
    temporary: bool = False

    def job(self, kind_id: str | None, port: int, *, tls: bool, path: str) -> Assignment | None:
        """Return what to do about a backend that was found; None for nothing."""
        kind = next((kind for kind in self.kinds if kind.id == kind_id), None)
        if kind is None or not (kind.id in self.only if self.only else kind.announced):
            return None
        return Assignment(
            kind,
            port,
            name_in(self.names, kind.id, port),
            path,
            tls,
            self.bind,
            self.interfaces,
            self.bridges,
            self.temporary,
        )


def name_in(names: tuple[tuple[str, int | None, str], ...], kind_id: str, port: int) -> str | None:
    """Return the name that the settings give a backend: one for its port goes before one for its kind."""
    told = {where: name for who, where, name in names if who == kind_id}
    return told.get(port, told.get(None))


class Finder:
    """Sweeps this machine's ports for backends (a :class:`hybridisco.Sink` of the sweep).

    :param found: called with each backend that is to be announced.
    :param tends: whether somebody looks after what is at a port already: then it is not asked again.
    :param every_s: seconds from one sweep to the next.
    """

    def __init__(
        self,
        plan: Plan,
        probe: Callable[[], Awaitable[Probe]],
        found: Callable[[Assignment], None],
        tends: Callable[[int], bool],
        every_s: float,
    ) -> None:
        self._plan = plan
        self._probe = probe
        self._found = found
        self._tends = tends
        self._every_s = every_s
        self.settled = asyncio.Event()
        """Set when the first sweep is done."""

    async def run(self) -> None:
        """Sweep until cancelled, at the addresses that this machine has."""
        while True:
            hosts = own_hosts()
            plan = self._plan
            sweep = Sweep(self._probe, hosts, plan.ports, plan.kinds, self._every_s, tended=self._is_tended)
            running = asyncio.create_task(sweep.run(self))
            try:
                await sweep.settled()
                self.settled.set()
                await self._until_others_than(hosts)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def _until_others_than(self, hosts: tuple[str, ...]) -> None:
        while own_hosts() == hosts:  # noqa: ASYNC110 - nothing tells who begins to listen
            await asyncio.sleep(_HOSTS_EVERY_S)

    def _is_tended(self, target: tuple[str, int]) -> bool:
        return self._tends(target[1])

    def emit(self, datum: Announcement | Withdrawal) -> None:
        """Take what the sweep found. What closes its port is noticed by whoever looks after it."""
        if isinstance(datum, Announcement):
            endpoint = datum.endpoints[0]
            job = self._plan.job(datum.kind, endpoint.port, tls=endpoint.tls, path=endpoint.path)
            if job is not None:
                self._found(job)


def own_hosts() -> tuple[str, ...]:
    """Return where to look on this machine: localhost, and addresses that a server is bound to and nothing else."""
    addresses = [a.ip for link in network_interfaces() for a in link.addresses]
    own = [str(ip) for ip in addresses if not ip.is_loopback and not ip.is_link_local]
    bound = _bound_addresses()
    # Where the system does not tell who is bound to what, every address is looked at.
    return ("localhost", *(address for address in own if bound is None or address in bound))


def _bound_addresses() -> frozenset[str] | None:
    """Return the addresses that TCP servers of this machine are bound to; None where nobody tells (proc(5))."""
    found: set[str] = set()
    for file in _TCP:
        try:
            lines = file.read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            return None
        for line in lines:
            _, local, _, state, *_ = line.split()
            digits = local.partition(":")[0]
            if state == _LISTEN:
                words = (int(digits[i : i + 8], 16) for i in range(0, len(digits), 8))
                packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)  # as the kernel prints them
                ip = IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)
                found.add(str(getattr(ip, "ipv4_mapped", None) or ip))  # a socket for both families may be IPv4's
    return frozenset(found)
