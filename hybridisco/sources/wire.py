"""mDNS packets in and out. zeroconf has the sockets, reads the records and writes ours; only this file knows it here.

Its own browser and cache are not used: they take a packet from anybody, and know neither who sent it nor by which
interface. So each of its sockets hands what it receives to us: first :mod:`.guard`, then :mod:`.table`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path

from zeroconf import IPVersion, Zeroconf

# The one place for private names of zeroconf, with const below.
from zeroconf._dns import DNSAddress, DNSPointer, DNSQuestion, DNSRecord, DNSService, DNSText
from zeroconf._protocol.incoming import DNSIncoming
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.asyncio import AsyncZeroconf
from zeroconf.const import _CLASS_IN, _FLAGS_QR_QUERY, _MDNS_PORT, _TYPE_PTR

from hybridisco.core.packet import Packet, Record
from hybridisco.sources.guard import Guard

log = logging.getLogger(__name__)

_SOCKETS = (Path("/proc/net/udp"), Path("/proc/net/udp6"))
_RECEIVE_BUFFER = 4 * 1024 * 1024  # octets; a LAN of 1000 services answers in one burst

#: A question: a name and the number of a record type.
Question = tuple[str, int]
#: An answer that the asked may leave out: a service type, an instance, its TTL and its age in seconds.
KnownAnswer = tuple[str, str, float, float]


class Wire:
    """Sockets on some interfaces.

    :param sockets: IPv4 addresses, and interface indexes for IPv6.
    :param guard: which packets are read.
    :param heard: called with each of these.
    :param own_port: ask from a port that no other program shares, where only answers to our own questions arrive.
    :raises OSError: the sockets cannot be had.
    """

    def __init__(
        self, sockets: list[str | int], guard: Guard, heard: Callable[[Packet], None], *, own_port: bool = False
    ) -> None:
        self._zeroconf = AsyncZeroconf(interfaces=sockets, ip_version=IPVersion.All, unicast=own_port)
        self._own_port = own_port
        self._guard = guard
        self._heard = heard

    async def listen(self) -> None:
        """Open the sockets."""
        # Shielded: cancelled itself it would take zeroconf's start with it, and close() could not close the sockets.
        started = asyncio.ensure_future(self._core.async_wait_for_start())
        started.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(started)
        self._take_over()

    async def move(self, sockets: list[str | int]) -> None:
        """Listen and ask on other interfaces from now on."""
        await self._zeroconf.async_update_interfaces(sockets, IPVersion.All)
        self._take_over()

    def lacks(self, sockets: list[str | int]) -> int:
        """Return how many of ``sockets`` could not be had."""
        return max(0, len(sockets) - len(self._core.engine.senders))

    def shares_port(self) -> bool:
        """Whether another program listens at our port, too: it may get the answers that are sent to us alone.

        Where the system does not tell (anywhere but on Linux), one does: there is a responder on nearly every desktop.
        """
        own = {os.fstat(reader.fileno).st_ino for reader in self._core.engine.readers}
        try:
            return bool(_listeners(_MDNS_PORT) - own)
        except (OSError, ValueError, IndexError):
            return True

    async def close(self) -> None:
        """Close every socket."""
        try:
            await self._zeroconf.async_close()
        finally:  # cancelled again meanwhile, when a loop ends: nobody else would close the sockets
            self._core.engine._async_shutdown()

    def ask(self, questions: Iterable[Question], known: Iterable[KnownAnswer] = (), *, unicast: bool = False) -> None:
        """Ask by multicast; ``unicast`` sets the QU bit (RFC 6762 section 5.4)."""
        # From a port of our own a question has a number (RFC 6762 section 6.7). It makes each another packet, too:
        # zeroconf's responders take the same one from two machines within a second for one that came twice.
        out = DNSOutgoing(_FLAGS_QR_QUERY, not self._own_port, secrets.randbelow(65535) + 1 if self._own_port else 0)
        for name, record_type in questions:
            question = DNSQuestion(name, record_type, _CLASS_IN)
            question.unicast = unicast
            out.add_question(question)
        now = time.monotonic() * 1000  # zeroconf counts in milliseconds of the monotonic clock
        for service_type, instance, ttl_s, age_s in known:
            record = DNSPointer(service_type, _TYPE_PTR, _CLASS_IN, int(ttl_s), instance, now - age_s * 1000)
            out.add_answer_at_time(record, now)
        if not out.questions:
            return
        try:
            self._core.async_send(out)
        except Exception as error:  # noqa: BLE001 - one name that cannot be written must not end discovery
            log.debug("A question could not be sent: %r", error)

    @property
    def _core(self) -> Zeroconf:
        return self._zeroconf.zeroconf

    def _take_over(self) -> None:
        """Receive in zeroconf's place, with room for a burst of answers: by default 7 to 16 % of 1000 are lost."""
        for reader in self._core.engine.readers:
            transport = reader.transport
            if isinstance(transport.get_protocol(), _Receiver):
                continue
            transport.set_protocol(_Receiver(self._guard, self._heard))
            sock = transport.get_extra_info("socket")
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            except OSError as error:
                log.debug("The receive buffer stays small: %s", error)


class _Receiver(asyncio.DatagramProtocol):
    """One socket's ear."""

    def __init__(self, guard: Guard, heard: Callable[[Packet], None]) -> None:
        self._guard = guard
        self._heard = heard

    def datagram_received(self, data: bytes, addr: tuple[str, int] | tuple[str, int, int, int]) -> None:
        """Take a packet in, if it may be."""
        source, port, zone = addr[0].partition("%")[0], addr[1], addr[3] if len(addr) == 4 else 0
        if source.startswith("::ffff:") and "." in source:
            source = source.removeprefix("::ffff:")
        link = self._guard.admits(data, source, zone, port, time.monotonic())
        if link is None:
            return
        try:
            self._heard(Packet(source, link, tuple(read(data))))
        except Exception as error:  # noqa: BLE001 - whatever a packet breaks, the next one is heard
            log.error("A packet could not be taken: %r", error)

    def error_received(self, exc: Exception) -> None:
        """Nothing to do: a network that is down is noticed elsewhere."""


def _listeners(port: int) -> set[int]:
    """Return the inodes of all UDP sockets of this machine that are bound to a port (proc(5))."""
    lines = [line for file in _SOCKETS for line in file.read_text("ascii").splitlines()[1:]]
    fields = [line.split() for line in lines]
    return {int(each[9]) for each in fields if int(each[1].rpartition(":")[2], 16) == port}


def read(data: bytes) -> Iterable[Record]:
    """Yield the records of a packet that we know what to do with."""
    for record in DNSIncoming(data).answers():
        said = _said(record)
        if said is not None and speakable(record.name):
            yield Record(record.name, record.type, int(record.ttl), record.unique, said)


def _said(record: DNSRecord) -> str | bytes | tuple[str, int] | None:
    if isinstance(record, DNSPointer):
        return record.alias if speakable(record.alias) else None
    if isinstance(record, DNSService):
        return (record.server, record.port) if speakable(record.server) else None
    if isinstance(record, DNSText):
        return record.text
    if isinstance(record, DNSAddress):
        return str(ip_address(record.address)) if len(record.address) in (4, 16) else None
    return None


def speakable(name: str) -> bool:
    """Whether a name can be asked for. What was no UTF-8 has grown when it was decoded (RFC 6762 section 16)."""
    labels = [label.encode() for label in name.split(".")]
    return "\ufffd" not in name and sum(map(len, labels)) + len(labels) <= 254 and all(len(e) <= 63 for e in labels)
