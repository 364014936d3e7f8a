"""Zeroconf that tells on each link only what can be reached there, answers the doctor, and hears rivals.

On a link only the addresses of that link are told (RFC 6762 section 14), and only the instances that can be reached by
them: addresses of another network are of no use there, and a link-local one would be taken for one of that link. A
subtype is no type (RFC 6763 section 9): it is taken out of the answer to who asks which types there are.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address
from types import MappingProxyType
from typing import Any

from zeroconf import RecordUpdate, RecordUpdateListener, Zeroconf
from zeroconf._dns import DNSAddress, DNSPointer, DNSRecord, DNSService, DNSText
from zeroconf._handlers.query_handler import QueryHandler
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf._transport import _WrappedTransport
from zeroconf.const import _CLASS_IN, _CLASS_UNIQUE, _FLAGS_AA, _FLAGS_QR_RESPONSE, _MDNS_PORT, _TYPE_SRV, _TYPE_TXT

from announcers import echo
from hybridisco import NetworkInterface

ENUMERATION = "_services._dns-sd._udp.local."


class Responder(Zeroconf):
    """Zeroconf that tells on each link only what can be reached there."""

    links: tuple[NetworkInterface, ...] = ()

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        #: Names of instances and hosts, in lower case: the addresses that lead there.
        self.places: dict[str, frozenset[bytes]] = {}
        #: Names of instances: what is said in their TXT record where one of these addresses is.
        self.texts: dict[str, tuple[tuple[frozenset[bytes], bytes], ...]] = {}
        self.query_handler = _Answers(self)  # before the sockets are there, which keep it

    def async_send(
        self,
        out: DNSOutgoing,
        addr: str | None = None,
        port: int = _MDNS_PORT,
        v6_flow_scope: tuple[()] | tuple[int, int] = (),
        transport: _WrappedTransport | None = None,
    ) -> None:
        if self.done:
            return
        for sender in [transport] if transport else self.engine.senders:
            where = (addr, *v6_flow_scope[1:]) if addr else (sender.sock_name[0], *sender.sock_name[3:])
            said = for_link(out, link_of(self.links, *where), self.places, self.texts)
            if said.questions or said.answers or said.authorities:
                super().async_send(said, addr, port, v6_flow_scope, sender)

    def senders_on(self, link: NetworkInterface, version: int) -> list[_WrappedTransport]:
        """Return the sockets that speak on a link, of one IP version."""
        return [
            sender
            for sender in self.engine.senders
            if link_of(self.links, sender.sock_name[0], *sender.sock_name[3:]) is link
            and sender.is_ipv6 == (version == 6)
        ]


class _Answers(QueryHandler):
    """Zeroconf's answers, and those to the doctor."""

    def __init__(self, responder: Responder) -> None:
        super().__init__(responder)
        self._responder = responder
        self._limit = echo.Limit()

    def handle_assembled_query(
        self,
        packets: list[Any],
        addr: str,
        port: int,
        transport: _WrappedTransport,
        v6_flow_scope: tuple[()] | tuple[int, int],
    ) -> None:
        if not self._is_neighbour(addr, v6_flow_scope):
            return  # RFC 6762 section 11: an answer to elsewhere would only serve to flood somebody
        for question in packets[0].questions:
            if question.type == _TYPE_TXT and echo.is_question(question.name):
                self._echo(question.name, addr, port, v6_flow_scope)
        super().handle_assembled_query(packets, addr, port, transport, v6_flow_scope)

    def _is_neighbour(self, addr: str, v6_flow_scope: tuple[()] | tuple[int, int]) -> bool:
        """Whether somebody who asks is on one of our links, or this machine itself."""
        ip = ip_address(addr.partition("%")[0])
        return ip.is_loopback or link_of(self._responder.links, addr, *v6_flow_scope[1:]) is not None

    def _echo(self, name: str, addr: str, port: int, v6_flow_scope: tuple[()] | tuple[int, int]) -> None:
        if addr.startswith("::ffff:") and "." in addr:  # by IPv4, at a socket for both families
            addr, v6_flow_scope = addr.removeprefix("::ffff:"), ()
        responder = self._responder
        link = link_of(responder.links, addr, *v6_flow_scope[1:])
        if link is None or not self._limit.allows(time.monotonic()):
            return
        for sender in responder.senders_on(link, ip_address(addr.partition("%")[0]).version)[:1]:
            responder.async_send(_echoed(name, "multicast", addr), transport=sender)
            responder.async_send(_echoed(name, "unicast", addr), addr, port, v6_flow_scope, sender)


def _echoed(name: str, via: str, heard: str) -> DNSOutgoing:
    out = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
    text = echo.answer(via, heard, socket.gethostname())
    out.add_answer_at_time(DNSText(name, _TYPE_TXT, _CLASS_IN, echo.TTL_S, text), 0)
    return out


class Rivals(RecordUpdateListener):
    """Hears somebody else announce under a name of ours."""

    def __init__(self, heard: Callable[[DNSService], None]) -> None:
        self._heard = heard

    def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        for update in records:
            if isinstance(update.new, DNSService) and update.new.type == _TYPE_SRV and update.new.ttl > 1:
                self._heard(update.new)


def link_of(links: tuple[NetworkInterface, ...], address: str, zone: int = 0) -> NetworkInterface | None:
    """Return the interface that has ``address``, else the one in whose subnet it lies."""
    ip = ip_address(address.partition("%")[0])
    ip = ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip
    if zone:
        return next((link for link in links if link.index == zone), None)
    owners = (link for link in links if any(own.ip == ip for own in link.addresses))
    neighbours = (link for link in links if any(ip in own.network for own in link.addresses))
    return next(owners, None) or next(neighbours, None)


def for_link(
    out: DNSOutgoing,
    link: NetworkInterface | None,
    places: Mapping[str, frozenset[bytes]],
    texts: Mapping[str, tuple[tuple[frozenset[bytes], bytes], ...]] = MappingProxyType({}),
) -> DNSOutgoing:
    """Return ``out`` without what is not to be said on this link, and with what is said only there."""
    here = None if link is None else {own.ip.packed for own in link.addresses}

    def leads_here(name: str) -> bool:
        there = places.get(name.lower())
        return here is None or there is None or not here.isdisjoint(there)

    def fits(record: object) -> bool:
        if isinstance(record, DNSAddress):
            return here is None or record.address in here
        if isinstance(record, DNSPointer):
            listed = record.name == ENUMERATION and "._sub." in record.alias
            return not listed and leads_here(record.alias)
        return not isinstance(record, DNSService | DNSText) or leads_here(record.name)

    def here_said(record: DNSRecord) -> DNSRecord:
        if isinstance(record, DNSText) and here is not None:
            for there, text in texts.get(record.name.lower(), ()):
                if not here.isdisjoint(there):
                    flush = _CLASS_UNIQUE if record.unique else 0
                    return DNSText(record.name, record.type, record.class_ | flush, record.ttl, text, record.created)
        return record

    said = DNSOutgoing(out.flags, out.multicast, out.id)
    said.questions, said.authorities = out.questions, out.authorities
    said.answers = [(here_said(record), at) for record, at in out.answers if fits(record)]
    said.additionals = [here_said(record) for record in out.additionals if fits(record)]
    return said
