"""mDNS packets of several senders over some time, by the real way: the ear of a socket, guard, table, announcements.

A piece begins with an octet that says who sends it, and how much later than the one before; the rest is the datagram.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from ipaddress import ip_interface
from types import SimpleNamespace

from zeroconf._dns import DNSQuestion
from zeroconf._protocol.outgoing import DNSOutgoing

from hybridisco.core.model import Announcement, SourceName, Withdrawal
from hybridisco.core.packet import PTR, SRV
from hybridisco.sources import mdns, wire
from hybridisco.sources.interfaces import Interface
from hybridisco.sources.table import INSTANCE_LIMIT
from tests.e2e import liar
from tests.fuzz import bounds, parts
from tests.fuzz.words import words

WORDS = words(
    r"""
    \n~~\n \x0b_hybridisco\x04_tcp\x05local\x00 \x08_wyoming\x04_tcp\x05local\x00 \x05local\x00 \xc0\x0c \xc0\x18
    \x84\x00 \x80\x01 \x00\x00\x00\x78 \x1f\xfc \x00\x01\x80\x01 \x00\x0c\x00\x01 \x00\x10\x80\x01 \x00\x1c\x80\x01
    \x00\x21\x80\x01 \x00\x2f\x80\x01 kind=comfyui id= path=/ \xc0\xa8\x4d\x07 \xff\xff\xff\xff
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


def check(data: bytes) -> None:
    """Send the packets, let the time pass, and then so much of it that nothing may be left."""
    real, log = mdns.time, logging.getLogger("hybridisco.sources")
    alarm = _Alarm(logging.ERROR)
    mdns.time = wire.time = _clock  # time passes as the input says
    log.addHandler(alarm)
    try:
        _live(data)
    finally:
        log.removeHandler(alarm)
        mdns.time = wire.time = real


def _live(data: bytes) -> None:
    _clock.now = 1000.0
    verdict = {0: True, 1: False}.get(len(data) % 3)
    source = mdns.MdnsSource({"_wyoming._tcp.local.": "wyoming"}, verify=lambda *_: verdict)
    source._interfaces = _INTERFACES
    sink = source._sink = _Everything()
    ear = wire._Receiver(source._guard, source._hear)
    for piece in parts.split(data, _PACKETS):
        if not piece:
            continue
        _clock.now += _PAUSES_S[piece[0] // len(_SENDERS) % len(_PAUSES_S)]
        _age(source)
        ear.datagram_received(piece[1:], _SENDERS[piece[0] % len(_SENDERS)])
        _can_be_asked(source)
        assert len(source._table) <= INSTANCE_LIMIT
        assert source._settles_in_s() is not None and source.state.state in ("running", "ok")
    _clock.now += 100_000.0
    _age(source)
    assert not len(source._table) and not sink.standing, "something outlives its TTL"
    left = {name: value for name, value in vars(source._table).items() if name.startswith("_") and name != "_types"}
    assert not any(left.values()), f"the table keeps {left}"
    assert not source._said and not source._missing


def _age(source: mdns.MdnsSource) -> None:
    """Take one step of the task that lets time pass (its sleep is the one thing that it awaits)."""
    task = source._age()
    pauses = SimpleNamespace(sleep=_Pause)
    real, mdns.asyncio = mdns.asyncio, pauses
    try:
        task.send(None)
        task.send(None)
    finally:
        mdns.asyncio = real
        task.close()


class _Pause:
    def __init__(self, _: float) -> None: ...

    def __await__(self) -> Iterator[None]:
        yield None


def _can_be_asked(source: mdns.MdnsSource) -> None:
    """Every name that is kept can be written into a question."""
    names = [name for one in source._table for name in (one.name, one.server) if name]
    for name in names + source._table.doubtful()[1]:
        for record_type in (SRV, PTR):
            out = DNSOutgoing(0)
            out.add_question(DNSQuestion(name, record_type, 1))
            assert all(len(packet) <= 9000 for packet in out.packets())
    for instance, age_s in source._table.known_answers(_clock.now):
        assert 0 <= age_s <= 4500, instance


def seeds() -> Iterator[tuple[str, bytes]]:
    """All that the liar says, and the life of honest services: compressed names, goodbyes, a move, a signature."""
    told = [(label, *lie) for label, lie in liar.LIES.items()]
    for label, host, addresses, strings in told:
        yield f"liar-{host.decode()}", b"\0" + liar.packet(label, host, addresses, strings)
    yield "liar-poison", b"\0" + liar._poison()
    honest = (b"box", (b"box"), ("192.168.77.7", "fe80::7", "10.77.0.9"), (b"txtvers=1", b"kind=comfyui", b"id=abc"))
    here = liar.packet(*honest)
    moved = liar.packet(honest[0], honest[1], ("192.168.77.8",), honest[3])
    instance = (b"box", *liar.TYPE)
    goodbye = liar.response(liar.record(liar.TYPE, liar.PTR, liar.IN, liar.name(instance), ttl_s=0))
    yield "move", parts.join(b"\0" + here, b"\x09" + moved, b"\x19" + here, b"\x1d" + moved)
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
    signed = {**said, "key": trust.encoded(b"k" * 32), "at": "1799999999", "sig": trust.encoded(b"s" * 64)}
    signed["ads"] = trust.told_addresses(["192.168.77.7", "fe80::7"])
    for name, properties in (("plain", said), ("signed", signed)):
        info = ServiceInfo(
            txt.SERVICE_TYPE,
            f"LiteLLM on box.{txt.SERVICE_TYPE}",
            4000,
            properties=properties,
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
        yield f"zeroconf-{name}", b"\0" + out.packets()[0]
        yield f"zeroconf-{name}-v6", b"\x05" + out.packets()[0]
