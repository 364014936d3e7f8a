"""mDNS packets, by zeroconf: what is asked, and what was heard. Only this file (and the sidecar's engine) knows it."""

from __future__ import annotations

import logging
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from ipaddress import ip_address

from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf._dns import DNSAddress, DNSQuestion  # the one place for private names of zeroconf, with const below
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf
from zeroconf.const import (
    _CLASS_IN,
    _FLAGS_QR_QUERY,
    _TYPE_A,
    _TYPE_AAAA,
    _TYPE_PTR,
    _TYPE_SRV,
    _TYPE_TXT,
)

from hybridisco.sources.instance import Instance

log = logging.getLogger(__name__)

_FLUSHED_S = 1  # what is left to a record that was taken back, or that a newer answer has replaced
_RECEIVE_BUFFER = 4 * 1024 * 1024  # octets; a LAN of 1000 services answers in one burst

#: Called with the service type and the instance's name, and whether it is gone.
Heard = Callable[[str, str, bool], None]


class Wire:
    """Sockets on some interfaces, and a cache of what was heard there.

    :param sockets: IPv4 addresses, and interface indexes for IPv6.
    :param own_port: ask from a port that no other program shares, where only answers to our own questions arrive.
    :raises OSError: the sockets cannot be had.
    """

    def __init__(self, sockets: list[str | int], *, own_port: bool = False) -> None:
        self._zeroconf = AsyncZeroconf(interfaces=sockets, ip_version=IPVersion.All, unicast=own_port)
        self._browser: AsyncServiceBrowser | None = None

    async def browse(self, types: Iterable[str], heard: Heard) -> None:
        """Tell ``heard`` of every instance of ``types`` that comes, changes or goes. :raises OSError: see above."""

        def changed(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
            heard(service_type, name, state_change is ServiceStateChange.Removed)

        await self._core.async_wait_for_start()
        _enlarge_buffers(self._core)
        self._browser = AsyncServiceBrowser(self._core, list(types), handlers=[changed])

    async def move(self, sockets: list[str | int]) -> None:
        """Listen and ask on other interfaces from now on."""
        await self._zeroconf.async_update_interfaces(sockets, IPVersion.All)
        _enlarge_buffers(self._core)

    async def close(self) -> None:
        """Close every socket."""
        if self._browser is not None:
            await self._browser.async_cancel()
        await self._zeroconf.async_close()

    @property
    def _core(self) -> Zeroconf:
        return self._zeroconf.zeroconf

    # -- what is asked --------------------------------------------------------------------------------

    def ask(self, types: Iterable[str], *, unicast: bool = False) -> None:
        """Ask which instances there are, with the known answers in it; ``unicast`` sets the QU bit."""
        out = DNSOutgoing(_FLAGS_QR_QUERY)
        now = time.monotonic() * 1000  # zeroconf counts in milliseconds of the monotonic clock
        for service_type in types:
            question = DNSQuestion(service_type, _TYPE_PTR, _CLASS_IN)
            question.unicast = unicast
            out.add_question(question)
            for record in self._core.cache.async_all_by_details(service_type, _TYPE_PTR, _CLASS_IN):
                if not record.is_stale(now):  # less than half of its life is over (RFC 6762 section 7.1)
                    out.add_answer_at_time(record, now)
        self._core.async_send(out)

    def ask_for_missing(self, instances: Iterable[tuple[str, str]]) -> None:
        """Ask in one query for every record of ``instances`` (type, name) that the cache does not have."""
        out = DNSOutgoing(_FLAGS_QR_QUERY)
        for service_type, name in instances:
            for record_type in (_TYPE_SRV, _TYPE_TXT):
                self._add_question(out, name, record_type)
            info = AsyncServiceInfo(service_type, name)
            info.load_from_cache(self._core)
            if info.server:
                for record_type in (_TYPE_A, _TYPE_AAAA):
                    self._add_question(out, info.server, record_type)
        if out.questions:
            self._core.async_send(out)

    def _add_question(self, out: DNSOutgoing, name: str, record_type: int) -> None:
        if not self._core.cache.async_all_by_details(name, record_type, _CLASS_IN):
            out.add_question(DNSQuestion(name, record_type, _CLASS_IN))

    # -- what was heard -------------------------------------------------------------------------------

    def read(self, service_type: str, name: str) -> Instance | None:
        """Return an instance if the cache has all of it, else None."""
        info = AsyncServiceInfo(service_type, name)
        if not info.load_from_cache(self._core):
            return None
        packets = self._addresses(info.server or "")
        return Instance(name, service_type, info.server, info.port, packets, info.properties)

    def _addresses(self, server: str) -> tuple[tuple[str, ...], ...]:
        """Return the addresses of a host, those that came in one packet together."""
        now = time.monotonic() * 1000
        packets: dict[float, list[str]] = defaultdict(list)
        for record_type in (_TYPE_A, _TYPE_AAAA):
            for record in self._core.cache.async_all_by_details(server, record_type, _CLASS_IN):
                if not isinstance(record, DNSAddress) or record.is_expired(now) or record.ttl <= _FLUSHED_S:
                    continue
                zone = f"%{record.scope_id}" if record.scope_id else ""
                # All records of a packet have the time of its arrival.
                packets[record.created].append(f"{ip_address(record.address)}{zone}")
        return tuple(tuple(packets[created]) for created in sorted(packets, reverse=True))


def _enlarge_buffers(zeroconf: Zeroconf) -> None:
    """Make room for a burst of answers. zeroconf leaves the system's default, and loses 7 to 16 % of 1000."""
    for reader in zeroconf.engine.readers:
        sock = reader.transport.get_extra_info("socket")
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        except OSError as error:
            log.debug("The receive buffer stays small: %s", error)
