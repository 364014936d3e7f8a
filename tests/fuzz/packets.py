"""mDNS packets of several senders over some time, by the real way: the ear of a socket, guard, table, announcements.

A piece begins with an octet that says who sends it, and how much later than the one before; the rest is the datagram.
With the highest octets the connection to all sidecars breaks, or comes back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from ipaddress import ip_interface
from types import SimpleNamespace
from typing import Any
from unittest import mock

from zeroconf._dns import DNSQuestion
from zeroconf._protocol.outgoing import DNSOutgoing

from hybridisco.core.model import Announcement, SourceName, Withdrawal
from hybridisco.core.packet import SIZE_LIMIT, SRV
from hybridisco.sources import claims, mdns, presence, wire
from hybridisco.sources.interfaces import Interface
from hybridisco.sources.table import INSTANCE_LIMIT
from tests.e2e import liar
from tests.fuzz import bounds, parts
from tests.fuzz.words import words

WORDS = words(
    r"""
    \n~~\n \x0b_hybridisco\x04_tcp\x05local\x00 \x08_wyoming\x04_tcp\x05local\x00 \x05local\x00 \xc0\x0c \xc0\x18
    \x84\x00 \x80\x01 \x00\x00\x00\x78 \x1f\xfc \x00\x01\x80\x01 \x00\x0c\x00\x01 \x00\x10\x80\x01 \x00\x1c\x80\x01
    \x00\x21\x80\x01 \x00\x2f\x80\x01 kind=comfyui id= path=/ live=1 \xc0\xa8\x4d\x07 \xff\xff\xff\xff
    """
)
_PACKETS = 12
_INTERFACES = (
    Interface("lo", 1, (ip_interface("127.0.0.1/8"), ip_interface("::1/128"))),
    Interface("eth0", 2, tuple(map(ip_interface, ("192.168.77.1/24", "fe80::1/64", "2001:db8::1/64")))),
    Interface("wlan0", 3, tuple(map(ip_interface, ("10.77.0.1/16", "fe80::2/64")))),
)
_SENDERS: tuple[tuple[str, int] | tuple[str, int, int, int], ...] = (
    *(("192.168.77.7", 5353), ("192.168.77.8", 5353), ("10.77.0.9", 5353), ("8.8.8.8", 5353), ("192.168.77.7", 1024)),
    *(("fe80::7%eth0", 5353, 0, 2), ("fe80::7%wlan0", 5353, 0, 3), ("::ffff:192.168.77.7", 5353, 0, 0)),
)
_BREAKS, _RETURNS = 254, 255
_STAYS = {"_types", "_kinds", "_newest"}  # what is browsed, and when each key was last used to sign
_PAUSES_S = (0.0, 0.5, 1.1, 11.0, 130.0, 4600.0)


class _Everything:
    """A sink, and what stands of what it was told."""

    def __init__(self) -> None:
        self.standing: dict[str, Announcement] = {}

    def emit(self, datum: Announcement | Withdrawal) -> None:
        """Look at it, keep it."""
        if isinstance(datum, Announcement):
            assert datum.source is SourceName.MDNS
            bounds.announcement(datum)
            self.standing[datum.ref] = datum
        else:
            assert self.standing.pop(datum.ref, None) is not None, "what was never said is withdrawn"


class _Alarm(logging.Handler):
    """An error in the log is a packet that could not be taken: the program lives, but there is a bug."""

    def emit(self, record: logging.LogRecord) -> None:
        """Raise it."""
        cause = next((each for each in record.args or () if isinstance(each, Exception)), None)
        raise AssertionError(record.getMessage()) from cause


_clock = SimpleNamespace(monotonic=lambda: _clock.now, time=lambda: 1_800_000_000.0, now=0.0)


class _Task:
    """A connection to a sidecar that is never tried."""

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        work.close()

    def cancel(self) -> None:
        """Nothing is under way."""

    def done(self) -> bool:
        """Nor is it over."""
        return False


class _Pause:
    """A sleep of which the next step is taken when it is asked for."""

    def __init__(self, _: float) -> None: ...

    def __await__(self) -> Iterator[None]:
        yield None


def check(data: bytes) -> None:
    """Send the packets, let the time pass as they say, and then so much of it that nothing may be left."""
    log, alarm = logging.getLogger("hybridisco.sources"), _Alarm(logging.ERROR)
    log.addHandler(alarm)
    try:
        with (
            mock.patch.object(mdns, "time", _clock),
            mock.patch.object(wire, "time", _clock),
            mock.patch.object(claims, "time", _clock),
            mock.patch.object(presence, "asyncio", SimpleNamespace(create_task=_Task, Semaphore=asyncio.Semaphore)),
        ):
            _live(data)
    finally:
        log.removeHandler(alarm)


def _live(data: bytes) -> None:
    _clock.now = 1000.0
    source = mdns.MdnsSource({"_wyoming._tcp.local.": "wyoming"}, verify=_verify)
    source._interfaces = _INTERFACES
    source._claims.set_network(_INTERFACES, frozenset())
    sink = source._sink = _Everything()
    ear = wire._Receiver(source._guard, source._hear, source._catch_up)
    for piece in parts.split(data, _PACKETS):
        if not piece:
            continue
        _clock.now += _PAUSES_S[piece[0] // len(_SENDERS) % len(_PAUSES_S)]
        _age(source)
        if piece[0] in (_BREAKS, _RETURNS):
            for watched in source._claims.presence._watched.values():
                source._claims.presence._tell(watched, piece[0] == _RETURNS)
        ear.datagram_received(piece[1:], _SENDERS[piece[0] % len(_SENDERS)])
        _can_be_asked(source)
        for ref in sink.standing:
            source.reconfirm(ref)
        assert len(source._table) <= INSTANCE_LIMIT
        assert source.state.state in ("running", "ok", "partial")
    _clock.now += 100_000.0
    _age(source)
    assert not sink.standing, "something outlives its TTL"
    for keeper in (source._table, source._table._hosts, source._claims, source._claims.presence):
        _is_empty(keeper)


def _verify(_key: bytes, signature: bytes, _message: bytes) -> bool | None:
    """A good signature, a wrong one, or no library: the first octet says which."""
    return {0: True, 1: False}.get(signature[0] % 3)


def _is_empty(keeper: object) -> None:
    """Nobody can fill the memory: when all is over, nothing is left but what is bounded by itself."""
    left = {name: value for name, value in vars(keeper).items() if isinstance(value, dict | set | list) and value}
    assert not left.keys() - _STAYS, f"{type(keeper).__name__} keeps {left}"


def _age(source: mdns.MdnsSource) -> None:
    """Take one step of the task that lets time pass."""
    with mock.patch.object(mdns, "asyncio", SimpleNamespace(sleep=_Pause)):
        task = source._age()
        task.send(None)
        task.send(None)
        task.close()


def _can_be_asked(source: mdns.MdnsSource) -> None:
    """Every name that is kept can be written into a question."""
    leaving, hosts = source._table.doubtful()
    lacking = [question for one in source._table for question in source._lacking(one)]
    names = [one.server for one in source._table if one.server is not None]
    for name, record_type in (*lacking, *((name, SRV) for name in (*leaving, *hosts, *names))):
        out = DNSOutgoing(0)
        out.add_question(DNSQuestion(name, record_type, 1))
        assert all(len(packet) <= SIZE_LIMIT for packet in out.packets())
    for instance, age_s in source._table.known_answers(_clock.now):
        assert -0.001 < age_s < 4500, instance


def seeds() -> Iterator[tuple[str, bytes]]:
    """All that the liar says, and the life of honest services: compressed names, goodbyes, a move, a signature."""
    for label, (host, addresses, strings) in liar.LIES.items():
        yield f"liar-{host.decode()}", b"\0" + liar.packet(label, host, addresses, strings)
    yield "liar-poison", b"\0" + liar._poison()
    strings = (b"txtvers=1", b"kind=comfyui", b"id=abc", b"live=4001")
    here = liar.packet(b"box", b"box", ("192.168.77.7", "fe80::7", "10.77.0.9"), strings)
    moved = liar.packet(b"box", b"box", ("192.168.77.8",), strings)
    pointer = liar.record(liar.TYPE, liar.PTR, liar.IN, liar.name((b"box", *liar.TYPE)), ttl_s=0)
    goodbye = liar.response(pointer)
    yield "move", parts.join(b"\0" + here, b"\x09" + moved, b"\x19" + here, b"\x1d" + moved, b"\xfe", b"\xff")
    yield "goodbye", parts.join(b"\0" + here, b"\x09" + goodbye, b"\x12" + here, b"\x05" + goodbye, b"\x18" + here)
    wyoming = (b"voice", b"_wyoming", b"_tcp", b"local")
    pointer = liar.record(wyoming[1:], liar.PTR, liar.IN, liar.name(wyoming))
    yield "other-type", b"\x05" + liar.response(pointer)
    yield from _from_zeroconf()


def _from_zeroconf() -> Iterator[tuple[str, bytes]]:
    """Packets as our own sidecar's library writes them."""
    from zeroconf import ServiceInfo

    from hybridisco.core import trust, txt

    said = txt.encode(txt.TxtRecord(id="abc", kind="litellm", version="1.2", capabilities=("text",), vram=24564))
    signed = {**said, "key": trust.encoded(b"k" * 32), "at": "1799999999"}
    signed["ads"] = trust.told_addresses(["192.168.77.7", "fe80::7"])
    packets: list[bytes] = []
    for signature in (None, 0, 1, 2):
        sig = {} if signature is None else {**signed, "sig": trust.encoded(bytes([signature]) * 64)}
        info = ServiceInfo(
            txt.SERVICE_TYPE,
            f"LiteLLM on box.{txt.SERVICE_TYPE}",
            4000,
            properties=sig or said,
            server="box.local.",
            parsed_addresses=["192.168.77.7", "fe80::7"],
        )
        out = DNSOutgoing(0x8400)
        for record in (
            info.dns_pointer(),
            info.dns_service(),
            info.dns_text(),
            *info.dns_addresses(),
            info.dns_address_nsec(),
        ):
            out.add_answer_at_time(record, 0)
        packets += out.packets()
        yield f"zeroconf-{signature}", b"\0" + packets[-1]
    yield "zeroconf-v6", b"\x05" + packets[0]
    yield "zeroconf-turns", parts.join(*(b"\x09" + packet for packet in (*packets, *packets)))
