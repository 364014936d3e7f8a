"""mDNS packets in and out: what is read of one, what is asked, and sockets that are closed whatever happens."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zeroconf._protocol.incoming import DNSIncoming

from hybridisco.core.packet import AAAA, PTR, SRV, TXT, A, Packet, Record
from hybridisco.sources.guard import Guard
from hybridisco.sources.wire import Wire, _Receiver, read, speakable
from tests.e2e import liar

TYPE = "_hybridisco._tcp.local."

_DESCRIPTORS = Path("/proc/self/fd")


def sockets() -> set[str]:
    """The sockets that this process has open."""
    found = set()
    for descriptor in _DESCRIPTORS.iterdir():
        try:
            found.add(str(descriptor.readlink()))
        except OSError:
            continue  # the one that lists the folder
    return {name for name in found if name.startswith("socket:")}


@pytest.mark.skipif(not _DESCRIPTORS.exists(), reason="open sockets are counted in /proc")
@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("cancels", [1, 2])
async def test_ending_while_it_starts_leaves_no_socket(turns: int, cancels: int) -> None:
    """As when an extension is disabled right after Discover; a loop that ends cancels once more."""
    before = sockets()

    async def browse() -> None:
        wire = Wire(["127.0.0.1"], Guard(lambda *_: "lo"), lambda _: None)
        assert sockets() - before, "it has opened some"
        try:
            await wire.listen()
            await asyncio.Event().wait()
        finally:
            await wire.close()

    task = asyncio.create_task(browse())
    for _ in range(turns + 1):
        await asyncio.sleep(0)
    for _ in range(cancels):
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0)  # a transport closes its socket at the loop's next turn
    assert sockets() - before == set()


# -- reading --------------------------------------------------------------------------------------------


def test_the_records_of_an_announcement() -> None:
    data = liar.packet(b"Box", b"box", ("10.77.0.1", "fe80::1"), (b"kind=comfyui",))
    assert list(read(data)) == [
        Record(TYPE, PTR, 120, False, f"Box.{TYPE}"),
        Record(f"Box.{TYPE}", SRV, 120, True, ("box.local.", 8188)),
        Record(f"Box.{TYPE}", TXT, 120, True, b"\x0ckind=comfyui"),
        Record("box.local.", A, 120, True, "10.77.0.1"),
        Record("box.local.", AAAA, 120, True, "fe80::1"),
    ]


def test_a_name_that_could_never_be_asked_for_is_left_out() -> None:
    assert list(read(liar._poison())) == []


@given(st.binary(max_size=300), st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=6))
@settings(deadline=None)
def test_any_packet_can_be_read(tail: bytes, damage: list[tuple[int, int]]) -> None:
    data = bytearray(liar.packet(b"half", *liar.LIES[b"half"]) + tail)
    for at, octet in damage:
        data[at % len(data)] = octet
    for record in read(bytes(data)):
        assert speakable(record.name)


class Ear:
    """What a socket's ear has let in."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self._receiver = _Receiver(Guard(lambda source, zone: f"eth{zone}"), self._hear)

    def hear(self, data: bytes, *sender: object) -> None:
        self._receiver.datagram_received(data, sender)  # type: ignore[arg-type]

    def _hear(self, packet: Packet) -> None:
        if any("boom" in record.name for record in packet.records):
            raise ValueError("boom")
        self.packets.append(packet)


@pytest.mark.parametrize(
    ("sender", "source", "link"),
    [
        (("10.77.0.1", 5353), "10.77.0.1", "eth0"),
        (("fe80::1%eth7", 5353, 0, 7), "fe80::1", "eth7"),
        (("::ffff:10.77.0.1", 5353, 0, 0), "10.77.0.1", "eth0"),  # a socket for both families (RFC 3493 section 3.7)
    ],
)
def test_who_sent_a_packet(sender: tuple[object, ...], source: str, link: str) -> None:
    ear = Ear()
    ear.hear(liar.packet(b"Box", b"box", ("10.77.0.1",), ()), *sender)
    assert [(one.source, one.link) for one in ear.packets] == [(source, link)]


def test_a_packet_that_breaks_something_does_not_keep_the_next_one_out(caplog: pytest.LogCaptureFixture) -> None:
    ear = Ear()
    ear.hear(liar.packet(b"boom", b"boom", ("10.77.0.1",), ()), "10.77.0.1", 5353)
    ear.hear(liar.packet(b"Box", b"box", ("10.77.0.1",), ()), "10.77.0.1", 5353)
    assert len(ear.packets) == 1
    assert "could not be taken" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere this machine has no 127.0.0.2")
async def test_what_comes_faster_than_it_can_be_looked_at_is_not_lost() -> None:
    """A box says a thousand services in two hundred packets at once: more than a usual receive buffer has room for."""
    heard: list[Packet] = []
    rests, all_heard, burst = [0], asyncio.Event(), 300
    data = liar.packet(b"Box", b"box", ("10.77.0.1",), ())
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as box,
    ):
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        ear.bind(("127.0.0.1", 0))
        ear.setblocking(False)
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            box.setsockopt(socket.SOL_SOCKET, option, 1)
        box.bind(("127.0.0.2", 5353))

        def hear(packet: Packet) -> None:
            heard.append(packet)
            if len(heard) <= burst // 3:
                for _ in range(3):  # while one is looked at, three come
                    box.sendto(data, ear.getsockname())
            if len(heard) > burst:
                all_heard.set()

        def rest() -> None:
            rests[0] += 1

        receiver = _Receiver(Guard(lambda *_: "lo"), hear, rest, ear.dup())
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: receiver, sock=ear)
        box.sendto(data, ear.getsockname())
        async with asyncio.timeout(5):
            await all_heard.wait()
        transport.close()
        await asyncio.sleep(0)
    assert len(heard) == burst + 1
    assert rests[0] < burst / 8, "what follows is seen to once for many"


# -- asking ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own_port", [False, True])
async def test_a_question_as_others_read_it(own_port: bool) -> None:
    wire = Wire(["127.0.0.1"], Guard(lambda *_: "lo"), lambda _: None, own_port=own_port)
    said: list[DNSIncoming] = []
    try:
        await wire.listen()
        wire._core.async_send = lambda out: said.extend(map(DNSIncoming, out.packets()))  # type: ignore[method-assign]
        wire.ask([], [(TYPE, f"Box.{TYPE}", 4500.0, 100.0)])
        assert said == [], "without a question nothing is said"
        wire.ask([(TYPE, PTR)], by=lambda own: own != "127.0.0.1")
        assert said == [], "nor by a socket that is not asked for"
        wire.ask([(TYPE, PTR), (f"Box.{TYPE}", SRV)], [(TYPE, f"Box.{TYPE}", 4500.0, 100.0)], unicast=True)
    finally:
        await wire.close()
    (packet,) = said
    assert [(question.name, question.type, question.unicast) for question in packet.questions] == [
        (TYPE, PTR, not own_port),
        (f"Box.{TYPE}", SRV, not own_port),
    ], "from a port of our own the answer is unicast anyway (RFC 6762 section 6.7)"
    (known,) = packet.answers()
    assert (known.name, known.type) == (TYPE, PTR)
    assert known.ttl in (4399, 4400), "what is left of it"
    assert bool(packet.id) is own_port


async def test_a_name_that_cannot_be_asked_for_ends_nothing() -> None:
    wire = Wire(["127.0.0.1"], Guard(lambda *_: "lo"), lambda _: None)
    try:
        await wire.listen()
        wire.ask([("x" * 64 + ".local.", A)])
        wire.ask([(TYPE, PTR)])
    finally:
        await wire.close()
