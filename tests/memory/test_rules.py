"""What is kept for how long."""

from __future__ import annotations

from dataclasses import replace

from hybridisco.memory.document import LIMIT
from hybridisco.memory.entry import Entry
from hybridisco.memory.rules import AT_ONE_ADDRESS, FORGET_AFTER_S, MISSED_DAYS, updated
from tests.memory.samples import entry
from tests.say import NOW

DAY_S = 86400
BOX = entry("X")


def after_misses(number: int, every_s: float) -> tuple[Entry, ...]:
    entries: tuple[Entry, ...] = (BOX,)
    for each in range(1, number + 1):
        entries = updated(entries, (), {"X"}, NOW + each * every_s)
    return entries


def test_what_is_seen_is_kept() -> None:
    assert updated((), [BOX], (), NOW) == (BOX,)


def test_what_is_seen_again_and_is_the_same_is_no_news() -> None:
    again = replace(BOX, since=int(NOW) + 600, seen_at=int(NOW) + 600)
    assert updated([BOX], [again], (), NOW + 600) == (BOX,)


def test_once_a_day_it_is_noted_that_it_was_seen() -> None:
    later = int(NOW) + DAY_S + 1
    (kept,) = updated([BOX], [replace(BOX, since=later, seen_at=later)], (), later)
    assert (kept.since, kept.seen_at) == (BOX.since, later)


def test_what_has_moved_is_kept_where_it_is_now() -> None:
    moved = entry("X", "10.0.0.7")
    assert updated([BOX], [moved], (), NOW) == (moved,)


def test_who_has_taken_its_place_drives_it_out() -> None:
    other = entry("Y")
    assert updated([BOX], [other], (), NOW) == (other,)


def test_a_box_that_was_set_up_anew_and_has_another_address_too() -> None:
    old, new = entry("X", host="gpu-box.local"), entry("Y", "10.0.0.7", host="gpu-box.local")
    assert updated([old], [new], (), NOW) == (new,)


def test_a_box_that_is_off_at_the_weekend_is_kept() -> None:
    (kept,) = after_misses(2, DAY_S)
    assert kept.missed == 2
    (back,) = updated([kept], [replace(BOX, seen_at=int(NOW) + 3 * DAY_S)], (), NOW + 3 * DAY_S)
    assert back.missed == 0


def test_who_looks_each_minute_forgets_nothing() -> None:
    assert [kept.missed for kept in after_misses(600, 60)] == [0]


def test_what_is_missed_for_days_is_forgotten() -> None:
    assert len(after_misses(MISSED_DAYS - 1, DAY_S)) == 1
    assert after_misses(MISSED_DAYS, DAY_S) == ()


def test_what_nobody_looked_for_is_forgotten_after_a_month() -> None:
    assert updated([BOX], (), (), NOW + FORGET_AFTER_S - DAY_S) == (BOX,)
    assert updated([BOX], (), (), NOW + FORGET_AFTER_S + DAY_S) == ()


def test_a_clock_that_was_wrong_keeps_nothing_for_ever() -> None:
    ahead = replace(BOX, seen_at=int(NOW) + 10 * 365 * DAY_S)
    (kept,) = updated([ahead], [BOX], (), NOW)
    assert kept.seen_at == int(NOW)


def test_what_a_clock_that_was_wrong_has_noted_is_forgotten_too_when_it_is_missed_for_days() -> None:
    ahead = int(NOW) + 10 * 365 * DAY_S
    entries: tuple[Entry, ...] = (replace(BOX, seen_at=ahead), replace(entry("Y", "10.0.0.7"), missed_at=ahead))
    for day in range(1, MISSED_DAYS + 1):
        assert len(entries) == 2
        entries = updated(entries, (), {"X", "Y"}, NOW + day * DAY_S)
    assert entries == ()


def test_a_machine_that_starts_in_1970_each_time_forgets_nothing() -> None:
    entries: tuple[Entry, ...] = (BOX,)
    for start in range(20):
        entries = updated(entries, (), {"X"}, 60.0 + start % 3)
    assert entries == (BOX,)


def test_a_flood_drives_out_nothing_that_is_there() -> None:
    old = [replace(entry(f"old-{n}", f"10.0.1.{n}"), since=int(NOW) - 9 * DAY_S) for n in range(10)]
    flood = [entry(f"a-{n}", f"10.0.0.{n % 200}", port=1000 + n) for n in range(3 * LIMIT)]
    kept = updated(old, [*flood, *old], (), NOW)
    assert len(kept) == LIMIT
    assert {e.ref for e in old} <= {e.ref for e in kept}


def test_what_was_not_seen_for_days_goes_first() -> None:
    full = [entry(f"id-{n}", f"10.0.{n}.1") for n in range(LIMIT)]
    full[7] = replace(full[7], seen_at=int(NOW) - 3 * DAY_S, since=1)
    kept = updated(full, [entry("new", "10.9.9.9")], (), NOW)
    assert {e.ref for e in full} - {e.ref for e in kept} == {"id-7"}


def test_one_machine_does_not_fill_it() -> None:
    flood = [entry(f"id-{n}", port=1000 + n) for n in range(LIMIT)]
    assert len(updated((), flood, (), NOW)) == AT_ONE_ADDRESS
