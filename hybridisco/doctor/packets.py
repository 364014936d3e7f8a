"""Gathers what becomes of mDNS packets: sends questions that carry a nonce, and hears who answers, and how.

Only this file has sockets of its own for mDNS. For each interface and family there are three:

* a *mouth*, bound to the interface's own address and port 5353. What is sent to that address by unicast comes here
  rather than to an Avahi, which is bound to all addresses;
* an *ear*, bound to port 5353 and a member of the group on this interface only. It hears the answers by multicast,
  and our own questions;
* a *stray*, on a port of its own. A question from there is answered by unicast where nobody else can take it.

Other hosts are asked by unicast from a *caller*, a connected socket on a port of its own: if nobody there has port
5353, the refusal comes back to it. Questions are repeated with new nonces, since a packet may be lost.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from hybridisco.doctor import dns
from hybridisco.doctor.facts import FAMILIES, Answer, Asked, Exchange, Family, HostFacts, Link
from hybridisco.doctor.firewall.model import GROUPS, MDNS_PORT
from hybridisco.doctor.port import share

_HOPS = 255  # RFC 6762 section 11
_REPEAT_S = 0.5  # between rounds of four questions: a sidecar answers ten a second at the most
_ROUNDS = 3
_ANSWER_LIMIT = 512  # answers that are kept
# Linux: hear only the groups joined by this very socket (<linux/in.h>, <linux/in6.h>; not in the socket module).
_IP_MULTICAST_ALL, _IPV6_MULTICAST_ALL = 49, 29

Address = tuple[str, int] | tuple[str, int, int, int]


@dataclass(slots=True)
class _Log:
    """What was asked and heard so far."""

    asked: dict[str, Asked] = field(default_factory=dict)
    answers: dict[tuple[str, str, str], Answer] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    responders: set[str] = field(default_factory=set)

    def exchange(self) -> Exchange:
        return Exchange(
            tuple(self.asked.values()),
            tuple(self.answers.values()),
            frozenset(self.refused),
            frozenset(self.responders),
        )

    def hear(self, packet: bytes, source: str) -> None:
        """Take a packet from the network: only what carries a nonce of ours counts."""
        message = dns.read(packet)
        if message is None:
            return
        if not message.response:
            for name in message.questions:
                nonce = dns.nonce_of(name)
                if nonce is not None and nonce in self.asked:
                    self.asked[nonce] = replace(self.asked[nonce], heard_back=True)
            return
        for name, strings in message.texts:
            nonce = dns.nonce_of(name)
            if nonce is not None and nonce in self.asked and len(self.answers) < _ANSWER_LIMIT:
                said = dns.pairs(strings)
                answer = Answer(
                    nonce,
                    said.get("via", ""),
                    source,
                    said.get("host", ""),
                    said.get("ver", ""),
                    said.get("heard", ""),
                )
                self.answers[nonce, answer.via, source] = answer


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, heard: Callable[[bytes, str], None], refused: Callable[[], None] = lambda: None) -> None:
        self._heard = heard
        self._refused = refused

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._heard(data, _literal(addr))

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, ConnectionRefusedError | ConnectionResetError):  # Windows says "reset"
            self._refused()


def _literal(addr: tuple[str, int] | tuple[str, int, int, int]) -> str:
    """Return a source address, link-local ones with the name of their zone."""
    bare, _, zone = addr[0].partition("%")
    scope = addr[3] if len(addr) > 3 else 0
    if scope and not zone:
        with suppress(OSError):
            zone = socket.if_indextoname(scope)
    return f"{bare}%{zone}" if zone else bare


async def gather(links: Sequence[Link], hosts: Sequence[HostFacts], limit_s: float) -> Exchange:
    """Ask on ``links`` and at ``hosts``, and listen for ``limit_s`` seconds in all."""
    log, sockets = _Log(), _Sockets()
    try:
        for host in hosts:
            for address in _one_a_family(host.addresses):
                await _call(address, log, sockets)
        for link in links:
            for family in FAMILIES:
                if (own := link.address(family)) is not None:
                    await _speak(link, family, own, log, sockets)
        rounds = max(1, min(_ROUNDS, int(limit_s / _REPEAT_S)))
        for number in range(rounds):
            for speaker in sockets.speakers:
                if speaker.turn is None or speaker.turn == number % 2:
                    speaker.ask(log)
            await asyncio.sleep(_REPEAT_S if number + 1 < rounds else max(limit_s - _REPEAT_S * number, 0.1))
    finally:
        for transport in sockets.transports:
            transport.abort()
    return log.exchange()


@dataclass(slots=True)
class _Speaker:
    """A socket that puts one kind of question; ``turn`` is in which rounds, even or odd ones, None for all."""

    template: Asked
    socket: socket.socket
    to: Address
    turn: int | None = None
    also: tuple[bytes, ...] = ()

    def ask(self, log: _Log) -> None:
        asked = replace(self.template, nonce=dns.new_nonce())
        log.asked[asked.nonce] = asked
        try:
            for packet in (dns.echo_question(asked.nonce), *self.also):
                if self.template.how == "multicast":
                    self.socket.sendto(packet, self.to)
                else:
                    self.socket.send(packet)
        except ConnectionRefusedError:  # the answer to an earlier one
            if asked.to is not None:
                log.refused.add(asked.to)
        except OSError as error:
            log.asked[asked.nonce] = replace(log.asked[asked.nonce], error=_name(error))


@dataclass(slots=True)
class _Sockets:
    """Everything that is open."""

    speakers: list[_Speaker] = field(default_factory=list)
    transports: list[asyncio.DatagramTransport] = field(default_factory=list)

    async def hear(self, sock: socket.socket, ear: _Ear) -> None:
        """Let ``ear`` hear what comes to a socket; it is closed with the others."""
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: ear, sock=sock)
        self.transports.append(transport)


async def _speak(link: Link, family: Family, own: str, log: _Log, sockets: _Sockets) -> None:
    """Open the sockets of one interface and family. What cannot be had counts as a question that was not sent."""
    template = Asked("", "multicast", family, link.name)
    try:
        await sockets.hear(_ear_socket(link, family, own), _Ear(log.hear))
        for turn, port in enumerate((MDNS_PORT, 0)):
            sock = _mouth_socket(link, family, own, port)
            await sockets.hear(sock, _Ear(log.hear))
            sockets.speakers.append(_Speaker(template, sock, _group(link, family), turn))
    except OSError as error:
        nonce = dns.new_nonce()
        log.asked[nonce] = replace(template, nonce=nonce, error=_name(error))


async def _call(address: str, log: _Log, sockets: _Sockets) -> None:
    """Open the socket that asks one address by unicast."""
    family: Family = "ipv6" if ":" in address else "ipv4"
    template = Asked("", "unicast", family, None, to=address)

    def heard(packet: bytes, source: str) -> None:
        log.hear(packet, source)
        message = dns.read(packet)
        if message is not None and message.response:
            log.responders.add(address)

    sock = None
    try:
        to = _sockaddr(address)
        sock = socket.socket(socket.AF_INET6 if family == "ipv6" else socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(to)
        await sockets.hear(sock, _Ear(heard, lambda: log.refused.add(address)))
    except OSError as error:
        if sock is not None:
            sock.close()
        nonce = dns.new_nonce()
        log.asked[nonce] = replace(template, nonce=nonce, error=_name(error))
        return
    sockets.speakers.append(_Speaker(template, sock, to, also=(dns.any_responder_question(address),)))


def _one_a_family(addresses: Sequence[str]) -> tuple[str, ...]:
    first: dict[bool, str] = {}
    for address in addresses:
        first.setdefault(":" in address, address)
    return tuple(first.values())


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, str(error))


def _sockaddr(address: str) -> Address:
    if ":" not in address:
        return address, MDNS_PORT
    bare, _, zone = address.partition("%")
    return bare, MDNS_PORT, 0, socket.if_nametoindex(zone) if zone and not zone.isdigit() else int(zone or 0)


def _group(link: Link, family: Family) -> Address:
    if family == "ipv4":
        return GROUPS[family], MDNS_PORT
    return GROUPS[family], MDNS_PORT, 0, link.interface.index


def _mouth_socket(link: Link, family: Family, own: str, port: int) -> socket.socket:
    """Return a socket that sends to the group on one interface, from its address and ``port``."""
    four = family == "ipv4"
    sock = socket.socket(socket.AF_INET if four else socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        if port:
            share(sock)
        index = link.interface.index
        if four:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, _HOPS)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
            sock.bind((own, port))
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, _HOPS)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 1)
            sock.bind((own, port, 0, index if own.startswith("fe80") else 0))
    except OSError:
        sock.close()
        raise
    return sock


def _ear_socket(link: Link, family: Family, own: str) -> socket.socket:
    """Return a socket that hears the group on one interface."""
    four = family == "ipv4"
    sock = socket.socket(socket.AF_INET if four else socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        share(sock)
        sock.bind(("", MDNS_PORT))
        if four:
            request = socket.inet_aton(GROUPS[family]) + socket.inet_aton(own)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        else:
            request = socket.inet_pton(socket.AF_INET6, GROUPS[family]) + struct.pack("@I", link.interface.index)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
        if sys.platform == "linux":
            level, option = (
                (socket.IPPROTO_IP, _IP_MULTICAST_ALL) if four else (socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL)
            )
            with suppress(OSError):  # a kernel older than 4.20 has it for IPv4 only
                sock.setsockopt(level, option, 0)
    except OSError:
        sock.close()
        raise
    return sock
