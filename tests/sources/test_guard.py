"""Which packets are looked at: neighbours' answers, and of nobody more than his share."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridisco.core.packet import SIZE_LIMIT
from hybridisco.sources.guard import FLOOD, MALFORMED, MDNS_PORT, OFF_LINK, PORT, REASONS, SENDER_LIMIT, SIZE, Guard
from tests.e2e import liar

NOW = 1000.0
PACKET = liar.packet(b"loopback", *liar.LIES[b"loopback"])
QUESTION = b"\0\0\0\0" + PACKET[4:]
BOX, OTHER = "10.77.0.1", "10.77.0.2"


def link_of(source: str, zone: int) -> str | None:
    """Two links: eth0 with zone 2, 10.77.0.0/16 and fd77::, and wlan0 with zone 3."""
    if zone:
        return {2: "eth0", 3: "wlan0"}.get(zone)
    return "eth0" if source.startswith(("10.77.", "fd77:")) else None


def admitted(guard: Guard, source: str, count: int, now: float = NOW, data: bytes = PACKET, zone: int = 0) -> int:
    """How many of so many packets are let in."""
    return sum(guard.admits(data, source, zone, MDNS_PORT, now) is not None for _ in range(count))


def test_the_link_that_a_packet_came_by_is_told() -> None:
    guard = Guard(link_of)
    assert guard.admits(PACKET, BOX, 0, MDNS_PORT, NOW) == "eth0"
    assert guard.admits(PACKET, "fe80::1", 2, MDNS_PORT, NOW) == "eth0"
    assert guard.admits(PACKET, "fe80::1", 3, MDNS_PORT, NOW) == "wlan0", "another machine with the same address"
    assert not guard.dropped


def test_a_question_is_for_others_and_nothing_bad() -> None:
    guard = Guard(link_of)
    for data in (QUESTION, b"", b"\x84\0" * 3):
        assert guard.admits(data, BOX, 0, MDNS_PORT, NOW) is None
    assert not guard.dropped


@pytest.mark.parametrize(
    ("reason", "source", "zone", "port", "data"),
    [
        (PORT, BOX, 0, 5354, PACKET),
        (PORT, BOX, 0, 53, PACKET),
        (OFF_LINK, "192.168.1.1", 0, MDNS_PORT, PACKET),
        (OFF_LINK, "93.184.216.34", 0, MDNS_PORT, PACKET),
        (OFF_LINK, "2001:db8::1", 0, MDNS_PORT, PACKET),
        (OFF_LINK, "fe80::1", 9, MDNS_PORT, PACKET),
        (SIZE, BOX, 0, MDNS_PORT, PACKET + bytes(SIZE_LIMIT)),
        (MALFORMED, BOX, 0, MDNS_PORT, PACKET[:-1]),
    ],
)
def test_what_no_neighbour_sends_is_dropped_and_counted(
    reason: str, source: str, zone: int, port: int, data: bytes
) -> None:
    guard = Guard(link_of)
    assert guard.admits(data, source, zone, port, NOW) is None
    assert guard.dropped == {reason: 1}
    assert REASONS[reason], "the user is told in words"


def test_the_largest_packet_is_taken() -> None:
    filler = liar.record((b"x", b"local"), liar.TXT, liar.IN, b"")
    size = SIZE_LIMIT - 12 - len(filler)
    data = liar.response(filler[:-2] + size.to_bytes(2, "big") + bytes(size))
    assert len(data) == SIZE_LIMIT
    assert admitted(Guard(link_of), BOX, 1, data=data) == 1
    assert admitted(Guard(link_of), BOX, 1, data=data + b"\0") == 0


def test_a_box_with_a_thousand_services_is_heard_in_one_burst() -> None:
    assert admitted(Guard(link_of), BOX, 2000) == 2000


def test_who_floods_loses_his_own_packets_and_nobody_elses() -> None:
    guard = Guard(link_of)
    assert admitted(guard, BOX, 10_000) < 2500
    assert guard.dropped[FLOOD] > 7500
    assert admitted(guard, OTHER, 10) == 10
    assert admitted(guard, BOX, 10_000, NOW + 1) < 500, "a second later he has what a second gives"
    assert admitted(guard, OTHER, 10, NOW + 1) == 10
    assert admitted(guard, BOX, 10, NOW + 60) == 10, "and when he has stopped, all is well again"


def test_an_allowance_does_not_grow_for_ever() -> None:
    guard = Guard(link_of)
    assert admitted(guard, BOX, 1) == 1
    assert admitted(guard, BOX, 100_000, NOW + 86_400) < 2500


def test_malformed_packets_count_too() -> None:
    """Or they could be had for nothing, and each has to be read to know."""
    guard = Guard(link_of)
    admitted(guard, BOX, 10_000, data=PACKET[:-1])
    assert guard.dropped[MALFORMED] < 2500
    assert guard.dropped[FLOOD] > 7500


def test_a_flood_from_ever_new_addresses_takes_the_room_of_new_ones_only() -> None:
    guard = Guard(link_of, trusted=lambda source: source == OTHER)
    assert admitted(guard, BOX, 1) == 1
    forged = [f"10.77.{n // 250 + 1}.{n % 250 + 1}" for n in range(5000)]
    assert sum(admitted(guard, source, 1) for source in forged) < 600
    assert admitted(guard, BOX, 10) == 10, "who was known before is heard"
    assert admitted(guard, OTHER, 10) == 10, "and so is whose service stands"
    assert admitted(guard, "10.77.99.1", 1) == 0
    assert admitted(guard, "10.77.99.1", 1, NOW + 10) == 1, "new ones are taken again as time goes by"


def test_a_flood_by_ipv6_leaves_room_for_ipv4() -> None:
    """Link-local addresses cost nothing, and there are more than anybody can count."""
    guard = Guard(link_of)
    for number in range(5000):
        guard.admits(PACKET, f"fe80::{number:x}", 2, MDNS_PORT, NOW)
    assert admitted(guard, BOX, 1) == 1
    assert admitted(guard, "fd77::1", 1) == 0


def test_senders_that_have_something_standing_are_not_forgotten_for_others() -> None:
    asked: list[str] = []

    def link(source: str, zone: int) -> str | None:
        asked.append(source)
        return "eth0"

    guard = Guard(link, trusted=lambda source: source == BOX)
    assert admitted(guard, BOX, 1) == 1
    for second in range(SENDER_LIMIT):  # slowly enough that all are taken
        admitted(guard, f"10.77.9.{second}", 1, NOW + second)
        admitted(guard, f"10.77.10.{second}", 1, NOW + second)
    asked.clear()
    admitted(guard, BOX, 1, NOW + SENDER_LIMIT)
    assert asked == [], "he is still known"
    admitted(guard, "10.77.9.0", 1, NOW + SENDER_LIMIT)
    assert asked == ["10.77.9.0"], "the oldest other one is not"


@given(st.lists(st.tuples(st.integers(0, 3 * SENDER_LIMIT), st.floats(0, 5)), max_size=200), st.booleans())
@settings(deadline=None, max_examples=20)
def test_what_it_remembers_is_bounded(packets: list[tuple[int, float]], trusting: bool) -> None:
    guard, now = Guard(lambda *_: "eth0", lambda _: trusting), NOW
    for number in range(3 * SENDER_LIMIT):
        guard.admits(PACKET, f"10.{number >> 8}.{number & 255}.1", 0, MDNS_PORT, now)
    for number, pause_s in packets:
        now += pause_s
        guard.admits(PACKET, f"10.{number >> 8}.{number & 255}.1", 0, MDNS_PORT, now)
    assert len(guard._senders) <= SENDER_LIMIT


def test_when_the_network_changes_neighbours_are_found_anew() -> None:
    links = {BOX: "eth0"}
    guard = Guard(lambda source, _: links.get(source))
    assert guard.admits(PACKET, BOX, 0, MDNS_PORT, NOW) == "eth0"
    links[BOX] = "wlan0"
    guard.forget_links()
    assert guard.admits(PACKET, BOX, 0, MDNS_PORT, NOW) == "wlan0"
    links.clear()
    guard.forget_links()
    assert guard.admits(PACKET, BOX, 0, MDNS_PORT, NOW) is None
    assert guard.dropped == {OFF_LINK: 1}
