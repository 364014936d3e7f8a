"""mDNS packets, by zeroconf: what is asked, and what was heard. Only this file (and the sidecar's engine) knows it."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from ipaddress import ip_address

from zeroconf import IPVersion, RecordUpdate, RecordUpdateListener, ServiceStateChange, Zeroconf

# The one place for private names of zeroconf, with const below.
from zeroconf._dns import DNSAddress, DNSQuestion, DNSRecord, DNSService, DNSText
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf
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


class _Repeats(RecordUpdateListener):
    """Hears announcements that say nothing new, of which zeroconf's browser does not tell."""

    def __init__(self, repeated: Callable[[str], None]) -> None:
        self._repeated = repeated

    def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        for update in records:
            if update.old is not None and update.new.type == _TYPE_SRV and not update.new.is_expired(now):
                self._repeated(update.new.name)


class Wire:
    """Sockets on some interfaces, and a cache of what was heard there.

    :param sockets: IPv4 addresses, and interface indexes for IPv6.
    :param own_port: ask from a port that no other program shares, where only answers to our own questions arrive.
    :raises OSError: the sockets cannot be had.
    """

    def __init__(self, sockets: list[str | int], *, own_port: bool = False) -> None:
        self._zeroconf = AsyncZeroconf(interfaces=sockets, ip_version=IPVersion.All, unicast=own_port)
        self._browser: AsyncServiceBrowser | None = None

    async def browse(self, types: Iterable[str], heard: Heard, repeated: Callable[[str], None] | None = None) -> None:
        """Tell ``heard`` of every instance of ``types`` that comes, changes or goes.

        :param repeated: called with the name of an instance that says again what it said before.
        """

        def changed(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
            try:
                heard(service_type, name, state_change is ServiceStateChange.Removed)
            except Exception as error:  # noqa: BLE001 - zeroconf would raise it again at every packet, for ever
                log.error("An announcement could not be taken: %r", error)

        # Shielded: cancelled itself it would take zeroconf's start with it, and close() could not close the sockets.
        started = asyncio.ensure_future(self._core.async_wait_for_start())
        started.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(started)
        _enlarge_buffers(self._core)
        if repeated is not None:
            self._core.async_add_listener(_Repeats(repeated), None)
        self._browser = AsyncServiceBrowser(self._core, list(types), handlers=[changed])

    async def move(self, sockets: list[str | int]) -> None:
        """Listen and ask on other interfaces from now on."""
        await self._zeroconf.async_update_interfaces(sockets, IPVersion.All)
        _enlarge_buffers(self._core)

    def lacks(self, sockets: list[str | int]) -> bool:
        """Whether some of ``sockets`` could not be had."""
        return len(self._core.engine.senders) < len(sockets)

    async def close(self) -> None:
        """Close every socket."""
        try:
            if self._browser is not None:
                await self._browser.async_cancel()
            await self._zeroconf.async_close()
        finally:  # cancelled again meanwhile, when a loop ends: nobody else would close the sockets
            self._core.engine._async_shutdown()

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
                # Known answers are those with more than half of their life before them (RFC 6762 section 7.1).
                if not record.is_stale(now) and speakable(getattr(record, "alias", "")):
                    out.add_answer_at_time(record, now)
        self._send(out)

    def ask_for_missing(self, names: Iterable[str]) -> None:
        """Ask in one query for every record of the instances of these names that the cache does not have."""
        out = DNSOutgoing(_FLAGS_QR_QUERY)
        for name in names:
            for record_type in (_TYPE_SRV, _TYPE_TXT):
                self._add_question(out, name, record_type)
            where = self._newest(name, _TYPE_SRV)
            if isinstance(where, DNSService) and speakable(where.server):
                for record_type in (_TYPE_A, _TYPE_AAAA):
                    self._add_question(out, where.server, record_type)
        if out.questions:
            self._send(out)

    def _send(self, out: DNSOutgoing) -> None:
        try:
            self._core.async_send(out)
        except Exception as error:  # noqa: BLE001 - one record that cannot be written must not end discovery
            log.debug("A question could not be sent: %r", error)

    def _add_question(self, out: DNSOutgoing, name: str, record_type: int) -> None:
        if not self._core.cache.async_all_by_details(name, record_type, _CLASS_IN):
            out.add_question(DNSQuestion(name, record_type, _CLASS_IN))

    # -- what was heard -------------------------------------------------------------------------------

    def announced(self, service_type: str, name: str) -> bool:
        """Whether an instance is announced, rather than some record of it left in the cache."""
        now = time.monotonic() * 1000
        pointers = self._core.cache.async_all_by_details(service_type, _TYPE_PTR, _CLASS_IN)
        return any(p.alias.lower() == name.lower() and not p.is_expired(now) for p in pointers)  # type: ignore[attr-defined]

    def read(self, service_type: str, name: str) -> Instance | None:
        """Return an instance if the cache has all of it, else None."""
        where, text = self._newest(name, _TYPE_SRV), self._newest(name, _TYPE_TXT)
        if not isinstance(where, DNSService) or not isinstance(text, DNSText):
            return None
        packets = self._addresses(where.server)
        return Instance(name, service_type, where.server, where.port, packets, _pairs(text.text)) if packets else None

    def _newest(self, name: str, record_type: int) -> DNSRecord | None:
        now = time.monotonic() * 1000
        records = self._core.cache.async_all_by_details(name, record_type, _CLASS_IN)
        # One that a newer has replaced counts as made at that moment: it is not the newest for that.
        return max(
            (r for r in records if not r.is_expired(now)), key=lambda r: (r.ttl > _FLUSHED_S, r.created), default=None
        )

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


def speakable(name: str) -> bool:
    """Whether a name can be asked for. What was no UTF-8 has grown when it was decoded (RFC 6762 section 16)."""
    labels = [label.encode() for label in name.split(".")]
    return "\ufffd" not in name and sum(map(len, labels)) + len(labels) <= 254 and all(len(e) <= 63 for e in labels)


def _pairs(text: bytes) -> dict[bytes, bytes | None]:
    """Return the keys and values of a TXT record (RFC 6763 section 6): of a key given twice the first counts."""
    pairs: dict[bytes, bytes | None] = {}
    at = 0
    while at < len(text):
        length = text[at]
        key, equals, value = text[at + 1 : at + 1 + length].partition(b"=")
        if key:
            pairs.setdefault(key, value if equals else None)
        at += 1 + length
    return pairs


def _enlarge_buffers(zeroconf: Zeroconf) -> None:
    """Make room for a burst of answers. zeroconf leaves the system's default, and loses 7 to 16 % of 1000."""
    for reader in zeroconf.engine.readers:
        sock = reader.transport.get_extra_info("socket")
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        except OSError as error:
            log.debug("The receive buffer stays small: %s", error)
