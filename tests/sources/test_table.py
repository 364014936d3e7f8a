"""What was heard on the LAN: who may add, change and take away what, and how much of it is kept."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridisco.core.packet import AAAA, PTR, SRV, TXT, A, Packet, Record
from hybridisco.sources.hosts import ADDRESS_LIMIT, DOUBT_S, STRAY_LIMIT, STRAY_S
from hybridisco.sources.table import (
    BARE_S,
    DISPUTED_S,
    FAIR_SHARE,
    GOODBYE_S,
    INSTANCE_LIMIT,
    TXT_LIMIT,
    Table,
    pairs,
)

TYPE = "_hybridisco._tcp.local."
NOW = 1000.0
BOX, MALLORY = "10.77.0.1", "10.77.0.66"
NAME, HOST = f"box.{TYPE}", "box.local."


def pointer(name: str = NAME, ttl_s: int = 4500, type: str = TYPE) -> Record:
    return Record(type, PTR, ttl_s, False, name)


def service(name: str = NAME, host: str = HOST, port: int = 8188, ttl_s: int = 120) -> Record:
    return Record(name, SRV, ttl_s, True, (host, port))


def text(data: bytes = b"\x09txtvers=1", name: str = NAME, ttl_s: int = 4500) -> Record:
    return Record(name, TXT, ttl_s, True, data)


def address(literal: str = BOX, host: str = HOST, ttl_s: int = 120, flush: bool = True) -> Record:
    return Record(host, AAAA if ":" in literal else A, ttl_s, flush, literal)


def hear(table: Table, now: float, *records: Record, source: str = BOX, link: str = "eth0") -> dict[str, bool]:
    return table.heard(Packet(source, link, records), now)


def whole(name: str = "box", *addresses: str, host: str | None = None) -> tuple[Record, ...]:
    """All records of an instance."""
    full, server = f"{name}.{TYPE}", host or f"{name}.local."
    return (
        pointer(full),
        service(full, server),
        text(name=full),
        *(address(each, server) for each in addresses or (BOX,)),
    )


def filled(now: float = NOW) -> Table:
    """A table with one instance, ``box``."""
    table = Table([TYPE, "_wyoming._tcp.local."])
    hear(table, now, *whole())
    return table


def places(table: Table, name: str = NAME) -> list[str]:
    """Where an instance is, as ``address%link`` (of eth0 the address alone)."""
    one = table.get(name.lower())
    assert one is not None
    return [literal if link == "eth0" else f"{literal}%{link}" for literal, link in table.addresses(one)]


def is_empty(table: Table) -> bool:
    """Whether nothing is left in it."""
    keepers = [value for each in (table, table._hosts) for name, value in vars(each).items() if name != "_types"]
    return not any(isinstance(each, dict | set | list) and each for each in keepers) and not table._hostless


# -- what is kept ---------------------------------------------------------------------------------------


def test_an_instance_as_it_was_heard() -> None:
    table = Table([TYPE])
    assert hear(table, NOW, *whole("Big Box")) == {f"big box.{TYPE}": True}
    (one,) = table
    assert (one.name, one.type, one.key) == (f"Big Box.{TYPE}", TYPE, f"big box.{TYPE}")
    assert (one.server, one.port, one.text) == ("Big Box.local.", 8188, b"\x09txtvers=1")
    assert table.addresses(one) == [(BOX, "eth0")]
    assert one.senders == {BOX}
    assert one.key in table and len(table) == 1


def test_the_order_of_the_records_in_a_packet_does_not_matter_but_for_addresses() -> None:
    table = Table([TYPE])
    hear(table, NOW, *reversed(whole()))
    assert places(table) == [BOX]


def test_an_instance_that_comes_in_pieces() -> None:
    table = Table([TYPE])
    assert hear(table, NOW, service(), text(), address()) == {}, "nobody says that it is one"
    assert hear(table, NOW, pointer()) == {NAME: True}
    assert hear(table, NOW, text()) == {NAME: False}
    assert hear(table, NOW, service()) == {NAME: True}
    assert hear(table, NOW, address()) == {NAME: False}
    assert places(table) == [BOX]


def test_an_answer_in_several_packets_of_which_one_says_first_where_the_host_is() -> None:
    table = Table([TYPE])
    hear(table, NOW, pointer())
    assert hear(table, NOW, address(), address("fe80::1")) == {}, "nobody is there yet"
    assert hear(table, NOW + 0.1, service(), text()) == {NAME: True}
    assert sorted(places(table)) == [BOX, "fe80::1"]


@pytest.mark.parametrize(
    ("source", "link", "after_s"), [(MALLORY, "eth0", 0.1), (BOX, "wlan0", 0.1), (BOX, "eth0", STRAY_S + 0.1)]
)
def test_where_a_host_is_that_nobody_has_named_yet_counts_only_for_who_said_so_and_not_for_long(
    source: str, link: str, after_s: float
) -> None:
    """Else somebody could say beforehand where others are."""
    table = Table([TYPE])
    hear(table, NOW, pointer())
    hear(table, NOW, address(MALLORY), source=source, link=link)
    hear(table, NOW + after_s, service(), text())
    assert places(table) == []


def test_addresses_of_hosts_that_nobody_names_take_no_room() -> None:
    table = Table([TYPE])
    for number in range(4 * STRAY_LIMIT):
        hear(table, NOW, address(host=f"nobody{number}.local."))
    assert len(table._hosts._strays) == 0, "nothing is expected"
    hear(table, NOW, pointer())
    for number in range(4 * STRAY_LIMIT):
        hear(table, NOW, *(address(f"10.77.0.{n}", f"nobody{number}.local.") for n in range(200)))
    assert len(table._hosts._strays) == STRAY_LIMIT
    assert max(len(records) for _, records in table._hosts._strays.values()) <= 2 * ADDRESS_LIMIT
    table.expire(NOW + 5000)
    assert is_empty(table)


def test_of_a_txt_record_without_end_the_beginning_is_kept() -> None:
    table = Table([TYPE])
    hear(table, NOW, pointer(), text(b"\x09txtvers=1" + b"\x03a=1" * 2000))
    (one,) = table
    assert one.text is not None and len(one.text) == TXT_LIMIT and pairs(one.text)[b"txtvers"] == b"1"


def test_a_thousand_that_say_last_where_they_are_are_looked_at_at_once() -> None:
    table = Table([TYPE])
    names = [f"box {number}" for number in range(1000)]
    for name in names:
        hear(table, NOW, *whole(name)[:3])
    for name in names:
        host = address(host=f"{name}.local.")
        assert hear(table, NOW + 0.1, host) == {f"{name}.{TYPE}": False}, "it has not moved"


def test_what_leads_to_nothing_that_is_looked_for_is_not_kept() -> None:
    table = Table([TYPE])
    printer = "printer._ipp._tcp.local."
    for record in (
        pointer(printer, type="_ipp._tcp.local."),
        pointer(printer),  # of our type, but leads elsewhere
        pointer(TYPE),
        service(printer),
        text(name=printer),
        address(host="printer.local."),
    ):
        assert hear(table, NOW, record) == {}
    assert len(table) == 0 and not table._hosts._hosts


def test_names_are_the_same_in_any_letters() -> None:
    table = filled()
    hear(table, NOW + 1, pointer(NAME.upper(), type=TYPE.upper()), service(NAME.upper(), HOST.upper(), 8189))
    hear(table, NOW + 1, address("10.77.0.1", HOST.title()))
    (one,) = table
    assert (one.port, one.server) == (8189, HOST.upper())
    assert places(table) == [BOX]
    hear(table, NOW + 2, pointer(NAME.title(), ttl_s=0))
    assert [gone.key for gone in table.expire(NOW + 2 + GOODBYE_S)[0]] == [NAME]


def test_letters_that_are_no_ascii_are_letters_too() -> None:
    table = Table([TYPE])
    hear(table, NOW, *whole("BÜRO"))
    assert hear(table, NOW, pointer(f"büro.{TYPE}")) == {f"büro.{TYPE}": True}
    assert len(table) == 1


def test_many_instances_on_one_host_share_its_addresses() -> None:
    table = Table([TYPE])
    for name in ("a", "b"):
        hear(table, NOW, *whole(name, host=HOST))
    hear(table, NOW, service(f"c.{TYPE}", HOST))
    assert hear(table, NOW + 2, address("10.77.0.9")) == {f"a.{TYPE}": False, f"b.{TYPE}": False}
    assert places(table, f"a.{TYPE}") == places(table, f"b.{TYPE}") == ["10.77.0.9"]


def test_a_service_that_moves_to_another_host() -> None:
    table = filled()
    hear(table, NOW + 5, service(host="new.local."), address("10.77.0.9", "new.local."))
    assert places(table) == ["10.77.0.9"]
    assert hear(table, NOW + 6, address("10.77.0.2")) == {}, "of the old host nothing is kept"


# -- goodbyes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", [pointer(ttl_s=0), service(ttl_s=0)], ids=["instance", "SRV"])
@pytest.mark.parametrize("source", [BOX, MALLORY])
def test_a_goodbye_comes_true_in_a_second_and_is_asked_about(record: Record, source: str) -> None:
    table = filled()
    assert hear(table, NOW + 5, record, source=source) == {NAME: False}
    assert table.doubtful() == ([NAME], [])
    assert table.expire(NOW + 5 + GOODBYE_S - 0.01) == ([], set())
    gone, touched = table.expire(NOW + 5 + GOODBYE_S)
    assert ([one.key for one in gone], touched) == ([NAME], set())
    assert len(table) == 0 and table.doubtful() == ([], []) and not table._hosts._hosts


def test_a_goodbye_that_is_repeated_does_not_take_longer() -> None:
    table = filled()
    for at in (5.0, 5.5, 5.9):
        hear(table, NOW + at, pointer(ttl_s=0))
    assert len(table.expire(NOW + 5 + GOODBYE_S)[0]) == 1


@pytest.mark.parametrize("record", [pointer(), service()], ids=["PTR", "SRV"])
def test_whoever_still_announces_it_saves_it(record: Record) -> None:
    table = filled()
    hear(table, NOW + 5, pointer(ttl_s=0), source=MALLORY)
    hear(table, NOW + 5.5, record)
    assert table.doubtful() == ([], [])
    assert table.expire(NOW + 60) == ([], set())
    assert places(table) == [BOX]


def test_goodbyes_without_end_are_no_end_as_long_as_it_is_announced() -> None:
    """It is asked once a second, and answers each time up to a second later."""
    table = filled()
    for tenth in range(300):
        now = NOW + 5 + tenth / 10
        hear(table, now, pointer(ttl_s=0), source=MALLORY)
        if tenth % 20 == 9:
            hear(table, now, service(), text(), address())
        assert table.expire(now) == ([], set()), f"after {tenth / 10} s"
    assert len(table.expire(now + DISPUTED_S)[0]) == 1, "and then nobody announces it any more"


def test_a_goodbye_long_after_a_forged_one_takes_a_second() -> None:
    table = filled()
    hear(table, NOW + 5, pointer(ttl_s=0), source=MALLORY)
    hear(table, NOW + 5.5, service())
    hear(table, NOW + 16, pointer(ttl_s=0))
    assert len(table.expire(NOW + 16 + GOODBYE_S)[0]) == 1


@pytest.mark.parametrize("record", [text(), address()], ids=["TXT", "A"])
def test_what_only_describes_it_does_not_save_it(record: Record) -> None:
    """Records of it are still in others' answers when it has long gone."""
    table = filled()
    hear(table, NOW + 5, pointer(ttl_s=0))
    hear(table, NOW + 5.5, record)
    assert len(table.expire(NOW + 5 + GOODBYE_S)[0]) == 1


@pytest.mark.parametrize("record", [text(ttl_s=0), text(b"", ttl_s=0)], ids=["same", "empty"])
def test_a_goodbye_of_what_describes_it_is_none(record: Record) -> None:
    table = filled()
    hear(table, NOW + 5, record, source=MALLORY)
    assert table.doubtful() == ([], [])
    assert table.expire(NOW + 60) == ([], set())
    (one,) = table
    assert one.text == b"\x09txtvers=1"


def test_a_goodbye_to_a_stranger_is_nothing() -> None:
    table = filled()
    assert hear(table, NOW, pointer(f"other.{TYPE}", ttl_s=0), service(f"other.{TYPE}", ttl_s=0)) == {}
    assert table.expire(NOW + 60) == ([], set())


def test_a_new_address_of_its_host_does_not_bring_back_what_is_gone() -> None:
    table = filled()
    hear(table, NOW + 5, pointer(ttl_s=0))
    table.expire(NOW + 7)
    assert hear(table, NOW + 8, address("10.77.0.9"), service(), text()) == {}
    assert hear(table, NOW + 9, *whole()) == {NAME: True}, "its announcement does"
    assert places(table) == [BOX]


# -- addresses ------------------------------------------------------------------------------------------


def test_who_gave_an_address_replaces_it_at_once() -> None:
    table = filled()
    assert hear(table, NOW + 5, address("10.77.0.9")) == {NAME: False}
    assert places(table) == ["10.77.0.9"]
    assert table.doubtful() == ([], [])


def test_addresses_of_one_answer_come_in_several_packets() -> None:
    """Each of them with the bit that says that it replaces the others (RFC 6762 section 10.2)."""
    table = filled()
    hear(table, NOW + 0.5, address("10.77.0.2"))
    assert set(places(table)) == {BOX, "10.77.0.2"}


def test_without_the_bit_an_address_is_one_more() -> None:
    table = filled()
    hear(table, NOW + 5, address("10.77.0.9", flush=False))
    assert set(places(table)) == {BOX, "10.77.0.9"}


def test_ipv4_and_ipv6_are_replaced_apart() -> None:
    table = Table([TYPE])
    hear(table, NOW, *whole("box", BOX, "fd77::1"))
    hear(table, NOW + 5, address("fd77::9"))
    assert set(places(table)) == {BOX, "fd77::9"}


def test_each_link_has_its_own_addresses() -> None:
    """A machine with a cable and Wi-Fi is heard on both, each time with the addresses of that link."""
    table = filled()
    hear(table, NOW + 5, address("10.78.0.1"), source="10.78.0.1", link="wlan0")
    assert set(places(table)) == {BOX, "10.78.0.1%wlan0"}
    hear(table, NOW + 10, address("10.77.0.9"))
    assert set(places(table)) == {"10.77.0.9", "10.78.0.1%wlan0"}


def test_the_same_link_local_address_on_two_links_is_two_places() -> None:
    table = Table([TYPE])
    hear(table, NOW, *whole("box", "fe80::1"), source="fe80::1")
    hear(table, NOW, *whole("box", "fe80::1"), source="fe80::1", link="wlan0")
    assert set(places(table)) == {"fe80::1", "fe80::1%wlan0"}


def test_addresses_of_somebody_else_stand_beside_until_it_is_clear_who_is_right() -> None:
    table = filled()
    hear(table, NOW + 5, address(MALLORY), source=MALLORY)
    assert places(table) == [MALLORY, BOX], "the one that is in doubt comes last"
    assert table.doubtful() == ([], [HOST])
    assert table.expire(NOW + 5 + DOUBT_S - 0.1) == ([], set())
    assert set(places(table)) == {MALLORY, BOX}


def test_a_forged_address_leaves_the_machine_where_it_is() -> None:
    """It is asked, and says again where it is: then the forged one goes, since nobody says both."""
    table = filled()
    hear(table, NOW + 5, address(MALLORY), source=MALLORY)
    hear(table, NOW + 6.1, address())
    table.expire(NOW + 6.2)
    assert places(table) == [BOX]
    assert table.doubtful() == ([], [])


def test_a_machine_that_has_moved_is_found_where_it_is_now() -> None:
    """It speaks from its new address, and nobody answers for the old one."""
    table = filled()
    hear(table, NOW + 5, address("10.77.0.9"), source="10.77.0.9")
    assert "10.77.0.9" in places(table)
    assert table.expire(NOW + 5 + DOUBT_S) == ([], {NAME})
    assert places(table) == ["10.77.0.9"]
    assert table.doubtful() == ([], [])


@pytest.mark.parametrize("spoken_by", ["10.77.0.9", "fe80::1"])
def test_whoever_gets_its_old_address_does_not_speak_for_it(spoken_by: str) -> None:
    table = Table([TYPE])
    hear(table, NOW, *whole("box", BOX, "fe80::1"))
    hear(table, NOW + 5, address("10.77.0.9"), source=spoken_by)
    table.expire(NOW + 5 + DOUBT_S)
    hear(table, NOW + 60, address(BOX), source=BOX)
    assert "10.77.0.9" in places(table)
    assert table.doubtful() == ([], [HOST])


def test_a_machine_that_has_moved_twice() -> None:
    table = filled()
    for number, at in enumerate((5.0, 50.0), 8):
        new = f"10.77.0.{number}"
        hear(table, NOW + at, address(new), source=new)
        table.expire(NOW + at + DOUBT_S)
        assert places(table) == [new]


def test_a_machine_with_two_families_is_one_voice() -> None:
    """It speaks by IPv4 and IPv6, and both tell of all its addresses."""
    table = Table([TYPE])
    for source in ("fe80::1", BOX):
        hear(table, NOW, *whole("box", BOX, "fd77::1", "fe80::1"), source=source)
    hear(table, NOW + 5, address("10.77.0.9"), source="fe80::1")
    assert "10.77.0.1" not in places(table)
    hear(table, NOW + 10, address("10.77.0.10"), source="10.77.0.9")
    assert set(places(table)) == {"10.77.0.10", "fd77::1", "fe80::1"}
    assert table.doubtful() == ([], [])


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "with the true one"])
def test_whoever_forges_an_address_again_and_again_does_not_become_the_one_to_be_believed(beside: bool) -> None:
    """The machine answers a second after each time that it is asked; between that the forger goes on."""
    table = filled()
    forged = (address(MALLORY), address(BOX)) if beside else (address(MALLORY),)
    for tenth in range(300):
        now = NOW + 5 + tenth / 10
        hear(table, now, *(forged if tenth < 20 else forged[:1]), source=MALLORY)
        table.expire(now)
        assert BOX in places(table), f"after {tenth / 10} s"
        if tenth % 30 == 29:
            hear(table, now, address())
            table.expire(now)
            assert BOX in places(table)


def test_an_address_that_is_taken_back_goes_when_nobody_repeats_it() -> None:
    table = Table([TYPE])
    hear(table, NOW, *whole("box", BOX, "10.77.0.2"))
    hear(table, NOW + 5, address("10.77.0.2", ttl_s=0))
    assert places(table) == [BOX, "10.77.0.2"]
    assert table.doubtful() == ([], [HOST])
    assert table.expire(NOW + 5 + DOUBT_S) == ([], {NAME})
    assert places(table) == [BOX]


def test_a_ttl_does_not_end_what_describes_an_instance() -> None:
    """Whether it lives is found out by looking, not by the time that its host's records are given."""
    table = Table([TYPE])
    hear(table, NOW, pointer(), service(ttl_s=1), text(ttl_s=1), address(ttl_s=1))
    table.expire(NOW + 4000)
    (one,) = table
    assert (one.port, one.text, places(table)) == (8188, b"\x09txtvers=1", [BOX])


# -- time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said_s", "kept_s"), [(1, 120), (120, 120), (600, 600), (4500, 4500), (2**32 - 1, 4500)])
def test_how_long_it_stays_without_being_repeated(said_s: int, kept_s: int) -> None:
    table = Table([TYPE])
    hear(table, NOW, pointer(ttl_s=said_s))
    assert table.expire(NOW + kept_s - 0.1) == ([], set())
    assert table.refresh_at() == pytest.approx(NOW + 0.8 * kept_s)
    hear(table, NOW + 60, pointer(ttl_s=said_s))
    assert table.expire(NOW + 60 + kept_s - 0.1) == ([], set())
    assert len(table.expire(NOW + 60 + kept_s)[0]) == 1
    assert table.refresh_at() is None


def test_a_question_leaves_out_what_is_known_for_long_yet() -> None:
    table = Table([TYPE])
    hear(table, NOW, pointer(ttl_s=4500))
    hear(table, NOW, pointer(f"leaving.{TYPE}"))
    hear(table, NOW + 1, pointer(f"leaving.{TYPE}", ttl_s=0))
    ((one, age_s),) = table.known_answers(NOW + 100)
    assert (one.key, age_s) == (NAME, pytest.approx(100))
    assert list(table.known_answers(NOW + 2300)) == [], "half of its life is over (RFC 6762 section 7.1)"


# -- room -----------------------------------------------------------------------------------------------


def test_addresses_of_one_host_are_bounded() -> None:
    table = Table([TYPE])
    hear(table, NOW, *whole("box", *(f"10.77.0.{n}" for n in range(1, 256))))
    assert len(places(table)) == ADDRESS_LIMIT


def test_who_fills_the_room_for_addresses_does_not_keep_out_those_of_the_host() -> None:
    table = filled()
    hear(table, NOW + 5, *(address(f"10.77.0.{n}", flush=False) for n in range(100, 200)), source=MALLORY)
    assert len(places(table)) == ADDRESS_LIMIT
    hear(table, NOW + 6, address("10.77.0.9"))
    assert "10.77.0.9" in places(table)
    assert len(places(table)) <= ADDRESS_LIMIT


def test_a_host_that_moves_all_the_time_has_its_instances_looked_at_seldom() -> None:
    """Or one packet a millisecond would keep a machine busy: a thousand instances may be on it."""
    table = Table([TYPE])
    for number in range(900):
        hear(table, NOW, *whole(f"on hub {number}", host=HOST))
    hear(table, NOW, *whole("honest", "10.77.0.50"), source="10.77.0.50")
    looks, honest_at = 0, []
    for number in range(2000):
        now = NOW + 10 + number / 1000
        moved = set(hear(table, now, address(f"10.77.0.{number % 9}"), source=MALLORY))
        if number == 1500:
            moved |= hear(table, now, address("10.77.0.51", "honest.local."), source="10.77.0.50").keys()
        if number % 100 == 99:
            moved |= table.expire(now)[1]
        looks += len(moved)
        honest_at += [number] if f"honest.{TYPE}" in moved else []
    assert looks <= 256 + 2 * 100 + 10
    assert len(honest_at) == 1 and honest_at[0] < 1600, "who is alone on his host does not wait for these"
    left = set().union(*(table.expire(NOW + 12 + second)[1] for second in range(20)))
    assert len(left) == 900, "where they are in the end is told in any case"
    assert table.expire(NOW + 40) == ([], set())


def flood(table: Table, source: str, count: int, prefix: str = "fake", now: float = NOW) -> None:
    for number in range(count):
        hear(table, now, *whole(f"{prefix}{number}", source), source=source)


def test_a_flood_from_one_address_hides_nobody() -> None:
    table = filled()
    flood(table, MALLORY, 5 * INSTANCE_LIMIT)
    assert len(table) == INSTANCE_LIMIT and table.refused > 0
    assert NAME in table and table.knows(BOX)
    hear(table, NOW, *whole("late", "10.77.0.2"), source="10.77.0.2")
    assert f"late.{TYPE}" in table, "who comes during the flood is there, too"
    flood(table, MALLORY, 2 * INSTANCE_LIMIT, "more")
    assert {NAME, f"late.{TYPE}"} <= {one.key for one in table}


def test_what_had_to_make_room_is_told_as_gone() -> None:
    table = Table([TYPE])
    flood(table, MALLORY, INSTANCE_LIMIT)
    hear(table, NOW, *whole("late", "10.77.0.2"), source="10.77.0.2")
    gone, _ = table.expire(NOW)
    assert [one.key for one in gone] == [f"fake{INSTANCE_LIMIT - 1}.{TYPE}"], "the newest of who has the most"
    assert table.expire(NOW) == ([], set()), "once"


def test_a_large_box_keeps_its_share_in_a_flood() -> None:
    table = Table([TYPE])
    flood(table, BOX, FAIR_SHARE, "real")
    for number in range(3, 250):
        flood(table, f"10.77.0.{number}", 100, f"from{number}-")
    assert len(table) == INSTANCE_LIMIT
    assert sum(one.sender == BOX for one in table) == FAIR_SHARE


def test_a_box_that_comes_during_a_flood_from_all_addresses_finds_room() -> None:
    """Whoever is on the LAN can forge each of its addresses."""
    table = filled()
    for number in range(3, 250):
        flood(table, f"10.77.0.{number}", 40, f"from{number}-")
    hear(table, NOW, *whole("late", "10.77.0.2"), source="10.77.0.2")
    assert {NAME, f"late.{TYPE}"} <= {one.key for one in table}
    for number in range(3, 250):
        flood(table, f"10.77.0.{number}", 40, f"again{number}-")
    assert {NAME, f"late.{TYPE}"} <= {one.key for one in table}


def test_100_000_instances_from_many_senders_take_no_more_room_than_there_is() -> None:
    table = filled()

    def flood_on(first: int, last: int) -> None:
        for number in range(first, last):
            source, now = f"10.77.{number % 7 + 1}.{number % 250 + 1}", NOW + number / 10_000
            hear(table, now, *whole(f"fake{number}", source), source=source)
            if number % 1000 == 999:
                table.expire(now)

    flood_on(0, 95_000)
    tracemalloc.start()
    try:
        flood_on(95_000, 100_000)
        grown, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 256 * 1024 and peak < 1024 * 1024, (grown, peak)
    assert len(table) <= INSTANCE_LIMIT and NAME in table
    assert len(table._hosts._hosts) <= INSTANCE_LIMIT + 1 and len(table._hosts._on) <= INSTANCE_LIMIT + 1
    assert len(table._count) <= INSTANCE_LIMIT
    for one in list(table):
        table.forget(one.key)
    assert is_empty(table), "and nothing is left of it"


_NAMES = st.sampled_from([f"{name}.{TYPE}" for name in "abAB"])
_HOSTS = st.sampled_from(["x.local.", "X.local.", "y.local."])
_TTLS = st.sampled_from([0, 1, 120, 4500])
_RECORDS = st.one_of(
    st.builds(pointer, _NAMES, _TTLS),
    st.builds(service, _NAMES, _HOSTS, st.just(8188), _TTLS),
    st.builds(text, st.binary(max_size=5), _NAMES, _TTLS),
    st.builds(address, st.sampled_from([BOX, MALLORY, "fe80::1"]), _HOSTS, _TTLS, st.booleans()),
)
_STEPS = st.tuples(
    st.lists(_RECORDS, max_size=6),
    st.sampled_from([BOX, MALLORY, "fe80::1"]),
    st.sampled_from(["eth0", "wlan0"]),
    st.sampled_from([0.0, 0.5, 1.0, 11.0, 5000.0]),
)


@given(st.lists(_STEPS, max_size=30))
@settings(deadline=None)
def test_whatever_is_heard_the_table_holds_together_and_forgets_in_the_end(
    steps: list[tuple[list[Record], str, str, float]],
) -> None:
    table, now = Table([TYPE]), NOW
    for records, source, link, pause_s in steps:
        touched = hear(table, now, *records, source=source, link=link)
        assert all(key in table for key in touched)
        now += pause_s
        gone, moved = table.expire(now)
        assert not any(one.key in table for one in gone)
        assert all(key in table for key in moved)
        leaving, hosts = table.doubtful()
        assert all(name.lower() in table for name in leaving)
        assert set(hosts) <= set(table._hosts._hosts) <= set(table._hosts._on)
        assert {one.server.lower() for one in table if one.server} == set(table._hosts._on)
    table.expire(now + 4500)
    assert len(table) == 0
    assert is_empty(table)


# -- TXT ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "found"),
    [
        (b"", {}),
        (b"\0", {}),
        (b"\x03a=1\x01b\x02c=", {b"a": b"1", b"b": None, b"c": b""}),
        (b"\x03a=1\x03a=2", {b"a": b"1"}),
        (b"\x05a=b=c", {b"a": b"b=c"}),
        (b"\x02=x\x01=", {}),
        (b"\xffa=1", {b"a": b"1"}),  # it claims more than there is
    ],
)
def test_keys_and_values_of_a_txt_record(octets: bytes, found: dict[bytes, bytes | None]) -> None:
    assert dict(pairs(octets)) == found


@given(st.binary(max_size=2000))
def test_any_octets_are_a_txt_record(octets: bytes) -> None:
    assert all(key and b"=" not in key for key in pairs(octets))


def test_names_that_describe_themselves_no_further_make_room_for_others() -> None:
    """One machine with hundreds of IPv6 addresses names two instances from each, and nobody has more than his share."""
    table = Table([TYPE])
    for number in range(INSTANCE_LIMIT):
        hear(table, NOW, pointer(f"bare{number}.{TYPE}"), source=f"fe80::{number // 2:x}")
    assert len(table) == INSTANCE_LIMIT
    assert hear(table, NOW + 1, *whole()) == {}, "they have just come"
    assert hear(table, NOW + BARE_S + 1, *whole()) == {NAME: True}
    gone, _ = table.expire(NOW + BARE_S + 1)
    assert [one.name for one in gone] == [f"bare0.{TYPE}"]
