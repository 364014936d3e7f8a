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
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
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
_HELD = 1024 * 1024  # octets that were read and not looked at yet, of each socket: three thousand services
_BATCH = 16  # packets that are looked at in a row, before anything else has its turn: that takes some 5 ms
_READS = 256  # packets that are read in a row
_READ = 16 * 1024  # octets of a packet: more than are taken, so that what is too large is seen to be

#: A question: a name and the number of a record type.
Question = tuple[str, int]
#: An answer that the asked may leave out: a service type, an instance, its TTL and its age in seconds.
KnownAnswer = tuple[str, str, float, float]


class Wire:
    """Sockets on some interfaces.

    :param sockets: IPv4 addresses, and interface indexes for IPv6.
    :param guard: which packets are read.
    :param heard: called with each of these.
    :param rested: called when all packets that had come are heard, or very many of them.
    :param own_port: ask from a port that no other program shares, where only answers to our own questions arrive.
    :raises OSError: the sockets cannot be had.
    """

    def __init__(
        self,
        sockets: list[str | int],
        guard: Guard,
        heard: Callable[[Packet], None],
        rested: Callable[[], None] = lambda: None,
        *,
        own_port: bool = False,
    ) -> None:
        self._zeroconf = AsyncZeroconf(interfaces=sockets, ip_version=IPVersion.All, unicast=own_port)
        self._own_port = own_port
        self._guard = guard
        self._heard = heard
        self._rested = rested

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

    def ask(
        self,
        questions: Iterable[Question],
        known: Iterable[KnownAnswer] = (),
        *,
        unicast: bool = False,
        by: Callable[[str], bool] | None = None,
    ) -> None:
        """Ask by multicast.

        :param known: what the asked need not say; in further packets where it does not fit (RFC 6762 section 7.2).
        :param unicast: set the QU bit (section 5.4).
        :param by: whether to ask by the socket that has this own address; without, by all.
        """
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
            if by is None:
                self._core.async_send(out)
                return
            for sender in self._core.engine.senders:
                if by(sender.interface_key[0]):
                    self._core.async_send(out, transport=sender)
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
            sock = transport.get_extra_info("socket")
            # Windows' event loop reads ahead by itself.
            more = None if sys.platform == "win32" else sock.dup()
            transport.set_protocol(_Receiver(self._guard, self._heard, self._rested, more))
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            except OSError as error:
                log.debug("The receive buffer stays small: %s", error)


_Sender = tuple[str, int] | tuple[str, int, int, int]


class _Receiver(asyncio.DatagramProtocol):
    """One socket's ear.

    asyncio reads one packet at a turn of its loop, and a system's usual receive buffer has room for less than two
    hundred: what a box with a thousand services says at once comes faster than it can be looked at. So all that has
    come is read here, between any two packets that are looked at, and held until it is their turn. What follows from
    them is seen to once for several.

    :param more: the same socket, not blocking; it is closed together with the other.
    """

    def __init__(
        self,
        guard: Guard,
        heard: Callable[[Packet], None],
        rested: Callable[[], None] = lambda: None,
        more: socket.socket | None = None,
    ) -> None:
        self._guard = guard
        self._heard = heard
        self._rested = rested
        self._more = more
        self._held: deque[tuple[str, str, bytes]] = deque()
        self._octets = 0
        self._later: asyncio.Handle | None = None

    def datagram_received(self, data: bytes, addr: _Sender) -> None:
        """Take a packet in, if it may be, and those that wait behind it."""
        self._take(data, addr)
        self._read_on()
        if self._later is None:
            self._look()

    def _read_on(self) -> None:
        """Read what has come."""
        if self._more is not None:
            with suppress(OSError):  # there is no more
                for _ in range(_READS):  # who floods us with what guard drops does not keep us for ever
                    if self._octets >= _HELD:
                        break
                    self._take(*self._more.recvfrom(_READ))

    def _look(self) -> None:
        """Look at some of the packets that are held."""
        self._later = None
        for _ in range(min(_BATCH, len(self._held))):
            source, link, data = self._held.popleft()
            self._octets -= len(data)
            try:
                self._heard(Packet(source, link, tuple(read(data))))
            except Exception as error:  # noqa: BLE001 - whatever a packet breaks, the next one is heard
                log.error("A packet could not be taken: %r", error)
            self._read_on()
        self._rested()
        if self._held:
            self._later = asyncio.get_running_loop().call_soon(self._look)

    def _take(self, data: bytes, addr: _Sender) -> None:
        """Hold a packet, if it may be taken in."""
        source, port, zone = addr[0].partition("%")[0], addr[1], addr[3] if len(addr) == 4 else 0
        if source.startswith("::ffff:") and "." in source:
            source = source.removeprefix("::ffff:")
        link = self._guard.admits(data, source, zone, port, time.monotonic())
        if link is not None:
            self._held.append((source, link, data))
            self._octets += len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._held.clear()
        self._octets = 0
        if self._more is not None:
            self._more.close()

    def error_received(self, exc: Exception) -> None:
        """Nothing to do: a network that is down is noticed elsewhere."""


def _listeners(port: int) -> set[int]:
    """Return the inodes of all UDP sockets of this machine that are bound to a port (proc(5))."""
    lines = [line for file in _SOCKETS for line in file.read_text("ascii").splitlines()[1:]]
    fields = [line.split() for line in lines]
    return {int(each[9]) for each in fields if int(each[1].rpartition(":")[2], 16) == port}


def read(data: bytes) -> list[Record]:
    """Return the records of a packet that we know what to do with."""
    found = []
    for record in DNSIncoming(data).answers():
        said = _said(record)
        if said is not None and speakable(record.name):
            found.append(Record(record.name, record.type, int(record.ttl), record.unique, said))
    return found


def _said(record: DNSRecord) -> str | bytes | tuple[str, int] | None:
    if isinstance(record, DNSAddress):
        octets = record.address
        if len(octets) == 4:
            return socket.inet_ntoa(octets)
        return socket.inet_ntop(socket.AF_INET6, octets) if len(octets) == 16 else None
    if isinstance(record, DNSService):
        return (record.server, record.port) if speakable(record.server) else None
    if isinstance(record, DNSText):
        return record.text
    if isinstance(record, DNSPointer):
        return record.alias if speakable(record.alias) else None
    return None


def speakable(name: str) -> bool:
    """Whether a name can be asked for. What was no UTF-8 has grown when it was decoded (RFC 6762 section 16)."""
    octets = name.encode()
    if len(octets) <= 63 and name.isascii():
        return True  # neither a label nor the whole can be too long
    return "\ufffd" not in name and len(octets) < 254 and all(len(each) <= 63 for each in octets.split(b"."))
