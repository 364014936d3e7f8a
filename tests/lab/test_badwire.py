"""The bad cable is as bad as it was told to be, and good again when it was healed."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import pytest

from . import netns
from .badwire import BadWire, bad_wire
from .host import Host
from .interface import Interface
from .net import Lab, LabError
from .wait import wait_until
from .wire_process import HELD_S, Faults, Lane

PACKETS = 200
RECEIVE_S = 3.0  # a bound: what is not lost takes milliseconds
BUFFER = 200_000  # the kernel takes twice that: room for every packet, also for its double
END = 0xFFFF
EVERYTHING = list(range(PACKETS))


@dataclass(slots=True)
class Pair:
    """Two hosts on a LAN with a socket each, connected to each other's; the wire of the first is bad."""

    near: Host
    far: Host
    near_socket: socket.socket
    far_socket: socket.socket

    @property
    def card(self) -> Interface:
        return self.near.interfaces[0]

    def outward(self, wire: BadWire) -> list[int]:
        return transfer(wire, self.near_socket, self.far_socket)

    def inward(self, wire: BadWire) -> list[int]:
        return transfer(wire, self.far_socket, self.near_socket)


@pytest.fixture
def pair(lab: Lab) -> Iterator[Pair]:
    lan = lab.lan("10.77.0.0/24")
    hosts = [lab.host("near"), lab.host("far")]
    with ExitStack() as stack:
        sockets = []
        for host in hosts:
            lan.join(host)
            with host.entered():
                sockets.append(stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)))
            sockets[-1].bind((host.addresses[0], 5000))
            sockets[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            sockets[-1].settimeout(RECEIVE_S)
        for mine, other in zip(sockets, reversed(hosts), strict=True):
            mine.connect((other.addresses[0], 5000))
        pair = Pair(hosts[0], hosts[1], sockets[0], sockets[1])
        pair.near_socket.send(b"hello")  # both learn each other's hardware address while the cable is good
        pair.far_socket.recv(10)
        pair.far_socket.send(b"hello")
        pair.near_socket.recv(10)
        yield pair


def transfer(wire: BadWire, source: socket.socket, target: socket.socket) -> list[int]:
    """Send numbered packets, then heal the wire and send the end mark; return what came until then."""

    def frames() -> int:
        return sum(each.frames for each in wire.counts.values())

    before = frames()
    for number in EVERYTHING:
        source.send(number.to_bytes(2, "big"))
    wait_until(lambda: frames() >= before + PACKETS, RECEIVE_S, "all are in the wire")
    wire.heal()
    source.send(END.to_bytes(2, "big"))
    came: list[int] = []
    while (number := int.from_bytes(target.recv(10), "big")) != END:
        came.append(number)
    return came


def fates(seed: str, faults: Faults, frames: int = 1000) -> list[tuple[float, ...]]:
    """When each of many frames leaves, one coming in each second."""
    lane = Lane(seed)
    lane.faults = faults
    return [lane.leaves_at(float(now)) for now in range(frames)]


def test_a_seed_tells_what_happens() -> None:
    faults = Faults(loss=0.3, jitter_s=0.2, duplicate=0.2, reorder=0.2)
    assert fates("a", faults) == fates("a", faults) != fates("b", faults)
    lost = [number for number, times in enumerate(fates("a", faults)) if not times]
    assert lost == [number for number, times in enumerate(fates("a", Faults(loss=0.3))) if not times]
    assert 200 < len(lost) < 400


def test_jitter_keeps_the_order_and_reordering_does_not() -> None:
    lane = Lane("a")
    lane.faults = Faults(delay_s=0.1, jitter_s=0.2)
    times = [lane.leaves_at(number / 1000)[0] for number in EVERYTHING]
    assert times == sorted(times)
    assert 0.1 <= times[0] <= times[-1] <= 0.3 + PACKETS / 1000
    lane.faults = Faults()
    assert lane.leaves_at(0.0)[0] >= times[-1], "also when it was healed meanwhile"
    late = Lane("a")
    late.faults = Faults(reorder=0.5)
    times = [late.leaves_at(number / 1000)[0] for number in EVERYTHING]
    assert times != sorted(times)
    assert {round(at - number / 1000, 6) for number, at in enumerate(times)} == {0.0, HELD_S}


@pytest.mark.netns
def test_a_good_wire_loses_nothing_and_a_lossy_one_its_share(pair: Pair) -> None:
    with bad_wire(pair.card) as wire:
        assert pair.outward(wire) == pair.inward(wire) == EVERYTHING
        wire.set(loss=0.3)
        came = pair.outward(wire)
        assert 0.5 * PACKETS < len(came) < 0.9 * PACKETS
        assert came == sorted(set(came))
        assert wire.counts["out"].lost == PACKETS - len(came)
        wire.set(loss=0.3)
        assert 0.5 * PACKETS < len(pair.inward(wire)) < 0.9 * PACKETS
        assert pair.outward(wire) == pair.inward(wire) == EVERYTHING, "it is healed"


@pytest.mark.netns
@pytest.mark.parametrize("direction", ["in", "out"])
def test_one_direction_alone_can_be_cut(pair: Pair, direction: str) -> None:
    with bad_wire(pair.card) as wire:
        wire.cut(direction)  # type: ignore[arg-type]
        whole, cut = (pair.outward, pair.inward) if direction == "in" else (pair.inward, pair.outward)
        assert whole(wire) == EVERYTHING
        wire.cut(direction)  # type: ignore[arg-type]
        assert cut(wire) == []


@pytest.mark.netns
def test_duplicates_arrive_twice(pair: Pair) -> None:
    with bad_wire(pair.card, direction="out", duplicate=0.5) as wire:
        came = pair.outward(wire)
        assert sorted(set(came)) == EVERYTHING
        assert 1.3 * PACKETS < len(came) < 1.7 * PACKETS
        assert wire.counts["in"].duplicated == 0


@pytest.mark.netns
def test_some_are_overtaken_and_none_is_lost(pair: Pair) -> None:
    with bad_wire(pair.card, reorder=0.3) as wire:
        for number in EVERYTHING:
            pair.near_socket.send(number.to_bytes(2, "big"))
        came = [int.from_bytes(pair.far_socket.recv(10), "big") for _ in EVERYTHING]
        assert came != EVERYTHING
        assert sorted(came) == EVERYTHING
        assert 0.15 * PACKETS < wire.counts["out"].reordered < 0.45 * PACKETS


@pytest.mark.netns
def test_what_is_late_keeps_its_order(pair: Pair) -> None:
    with bad_wire(pair.card, delay_s=0.2, jitter_s=0.2) as wire:
        assert pair.outward(wire) == EVERYTHING
        wire.set(delay_s=0.5)
        sent_at = time.monotonic()
        pair.near_socket.send(b"late")
        assert pair.far_socket.recv(10) == b"late"
        assert time.monotonic() - sent_at >= 0.5


@pytest.mark.netns
def test_a_long_conversation_arrives_whole(pair: Pair) -> None:
    """TCP hands the kernel more than a frame at once, without a checksum: both must be right at the other end."""
    sent = hashlib.sha256(b"much" * 500_000).digest()
    with pair.far.entered():
        listener = socket.create_server(("", 6000))
    with pair.near.entered():
        client = socket.socket()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"much" * 500_000)

    with bad_wire(pair.card, loss=0.01, duplicate=0.05), listener, client:
        thread = threading.Thread(target=serve)
        thread.start()
        client.settimeout(20)
        client.connect((pair.far.addresses[0], 6000))
        received = hashlib.sha256()
        while part := client.recv(1 << 16):
            received.update(part)
        thread.join(RECEIVE_S)
    assert received.digest() == sent


@pytest.mark.netns
def test_the_card_notices_nothing_and_everything_is_put_back(pair: Pair) -> None:
    def facts() -> tuple[tuple[str, ...], str]:
        return pair.card.addresses, pair.near.run(["cat", "/sys/class/net/eth0/carrier_changes"]).stdout

    def switch() -> dict[str, str | None]:
        links = json.loads(netns.ip("-j", "link", "show", namespace=pair.near.lab.switch))
        return {each["ifname"]: each.get("master") for each in links}

    before, links = facts(), switch()
    with suppress(RuntimeError), bad_wire(pair.card) as wire:
        wire.cut()
        with pytest.raises(LabError, match="bad already"), bad_wire(pair.card):
            pass
        assert facts() == before
        raise RuntimeError
    assert facts() == before
    assert switch() == links
    pair.near_socket.send(b"well again")
    assert pair.far_socket.recv(10) == b"well again"


@pytest.mark.netns
def test_a_cable_can_be_pulled_while_it_is_bad(pair: Pair) -> None:
    with bad_wire(pair.card) as wire:
        for _ in range(3):
            pair.card.unplug()
            pair.far_socket.send(b"to nobody")
            assert "NO-CARRIER" in pair.near.run(["ip", "link", "show", "eth0"]).stdout
            pair.card.plug()
        assert sorted(pair.outward(wire)) == EVERYTHING  # the first waits for the neighbour's address
