"""The floor of mDNS: one IPv4 socket that asks once for unicast answers, and reads what comes.

It parses by zeroconf, so that parsing costs what it costs everybody. Where an answer is lost it asks again each second.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

import ifaddr
from zeroconf import DNSIncoming, DNSOutgoing, DNSPointer, DNSQuestion, DNSService, DNSText

from bench.inside.lan import Found
from bench.measure import Sample
from hybridisco import SERVICE_TYPE

_GROUP, _PORT = "224.0.0.251", 5353
_PTR, _IN = 12, 1
_SO_RCVBUFFORCE = 33  # <asm-generic/socket.h>; beyond what an ordinary process gets
_BUFFER = 8 * 1024 * 1024
_AGAIN_S = 1.0


async def browse(expected: int, limit_s: float = 20.0, own_port: bool = False) -> Callable[[], Awaitable[Sample]]:
    """Ask, wait, and stop.

    :param own_port: from a port that nobody shares (RFC 6762 section 6.7).
    """
    out = DNSOutgoing(0, not own_port, 1 if own_port else 0)
    question = DNSQuestion(SERVICE_TYPE, _PTR, _IN)
    question.unicast = True
    out.add_question(question)
    (packet,) = out.packets()

    async def measure() -> Sample:
        found = Found(expected)
        loop = asyncio.get_running_loop()
        with _open(0 if own_port else _PORT) as sock:
            loop.add_reader(sock, _Reader(sock, found))
            asking = asyncio.create_task(_ask(sock, packet))
            sample = await found.sample(limit_s)
            asking.cancel()
            loop.remove_reader(sock)
        return sample

    return measure


async def _ask(sock: socket.socket, packet: bytes) -> None:
    while True:
        sock.sendto(packet, (_GROUP, _PORT))
        await asyncio.sleep(_AGAIN_S)


class _Reader:
    """Knows a service when it has its pointer, its SRV and its TXT record."""

    def __init__(self, sock: socket.socket, found: Found) -> None:
        self._socket = sock
        self._found = found
        self._known: dict[str, int] = {}

    def __call__(self) -> None:
        try:
            while True:
                self._read(self._socket.recv(65536))
        except BlockingIOError:
            return

    def _read(self, data: bytes) -> None:
        for record in DNSIncoming(data).answers():
            if isinstance(record, DNSPointer) and record.name == SERVICE_TYPE:
                name, part = record.alias, 1
            elif isinstance(record, DNSService):
                name, part = record.name, 2
            elif isinstance(record, DNSText):
                name, part = record.name, 4
            else:
                continue
            self._known[name] = known = self._known.get(name, 0) | part
            if known == 7:
                self._found.note(name)


def _open(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        sock.setsockopt(socket.SOL_SOCKET, option, 1)
    sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    sock.setblocking(False)
    sock.bind(("", port))
    own = ipaddress.IPv4Address(_own_address()).packed
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(_GROUP) + own)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    return sock


def _own_address() -> str:
    every = (str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4)
    return next(address for address in every if not address.startswith("127."))
