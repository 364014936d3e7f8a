"""The pace of questions: fast at first, then seldom, and the same one never twice within a second."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridisco.sources import asking as module
from hybridisco.sources.asking import FIRST_S, LONGEST_S, Asking

NEVER: Callable[[], float | None] = lambda: None  # noqa: E731


class Time(asyncio.SelectorEventLoop):
    """An event loop whose time passes at once: whoever waits is next."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 1000.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined]
        if not ready and scheduled:
            self._now = max(self._now, scheduled[0]._when)
        super()._run_once()  # type: ignore[misc]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """Runs a test in a time of its own."""

    def run_in_it(test: Callable[[Time], object]) -> list[float]:
        loop = Time()
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=loop.time))
        try:
            return list(loop.run_until_complete(test(loop)))  # type: ignore[arg-type, call-overload]
        finally:
            loop.close()

    return run_in_it


def asked_at(
    run: Callable[..., list[float]],
    count: int,
    refresh_at: Callable[[], float | None] = NEVER,
    meanwhile: Callable[[Time, Asking], None] = lambda *_: None,
) -> list[float]:
    """When so many questions are put, in seconds after the first."""

    async def ask(loop: Time) -> list[float]:
        asking, began = Asking(), loop.time()
        meanwhile(loop, asking)
        found = []
        for _ in range(count):
            asking.note_asked(loop.time())
            found.append(loop.time() - began)
            await asking.next(refresh_at)
        return found

    return run(ask)


def test_questions_are_put_ever_more_seldom(run: Callable[..., list[float]]) -> None:
    at = asked_at(run, 16)
    pauses = [after - before for before, after in itertools.pairwise(at)]
    expected = [min(2.0**n, LONGEST_S) for n in range(15)]
    assert pauses == pytest.approx(expected, rel=0.03)
    assert sum(60 < one <= 600 for one in at) <= 4, "a quiet LAN hears less than one a minute"


def test_machines_that_are_switched_on_together_do_not_stay_in_step(run: Callable[..., list[float]]) -> None:
    assert len({asked_at(run, 6)[-1] for _ in range(5)}) == 5


def test_what_runs_out_is_asked_for_before(run: Callable[..., list[float]]) -> None:
    at = asked_at(run, 14, lambda: 1000.0 + 900)
    assert any(850 < one <= 910 for one in at)


def test_what_runs_out_all_the_time_is_asked_for_once_a_minute(run: Callable[..., list[float]]) -> None:
    """Whoever announces with short TTLs cannot make everybody ask all the time."""
    at = asked_at(run, 30, lambda: 0.0)
    late = [after - before for before, after in itertools.pairwise(at) if before > 60]
    assert late and min(late) >= 59.9


def test_asked_again_it_asks_at_once_and_then_at_the_pace_of_a_start(run: Callable[..., list[float]]) -> None:
    def again(loop: Time, asking: Asking) -> None:
        loop.call_later(600, asking.restart)

    at = asked_at(run, 16, meanwhile=again)
    (place,) = [number for number, one in enumerate(at) if 599 < one < 600.5]
    pauses = [after - before for before, after in itertools.pairwise(at[place:])]
    assert pauses[:4] == pytest.approx([1, 2, 4, 8], rel=0.03)


def test_asked_again_all_the_time_it_asks_once_a_second(run: Callable[..., list[float]]) -> None:
    """RFC 6762 section 5.2: the first two questions are at least a second apart."""

    def always(loop: Time, asking: Asking) -> None:
        for tenth in range(100):
            loop.call_later(tenth / 10, asking.restart)

    at = asked_at(run, 12, meanwhile=always)
    pauses = [after - before for before, after in itertools.pairwise(at)]
    assert min(pauses) >= 0.97
    assert max(pauses[:9]) <= 1.1


def test_quietly_restarted_it_waits_for_nobody(run: Callable[..., list[float]]) -> None:
    """The caller has just asked: the next question comes at the pace of a start, after the pause that goes on."""

    async def ask(loop: Time) -> list[float]:
        asking = Asking()
        for _ in range(8):
            await asking.next(NEVER)
        asking.note_asked(loop.time())
        put, began = asking.asked_at, loop.time()
        asking.restart(quietly=True)
        await asking.next(NEVER)
        assert asking.asked_at == put
        return [loop.time() - began]

    assert run(ask) == pytest.approx([FIRST_S], rel=0.03)


def test_when_the_question_was_put_that_somebody_waits_for() -> None:
    asking = Asking()
    assert asking.asked_at is None
    asking.note_asked(5.0)
    asking.note_asked(9.0)
    assert asking.asked_at == 5.0
    asking.restart()
    assert asking.asked_at is None
    asking.note_asked(12.0)
    assert asking.asked_at == 12.0


def test_the_same_question_is_put_once_a_second() -> None:
    asking = Asking()
    assert asking.allows(("box", 33), 100.0)
    assert not asking.allows(("box", 33), 100.9)
    assert asking.allows(("box", 1), 100.9), "another one is free"
    assert asking.allows(("box", 33), 101.0)
    assert not asking.allows(("box", 33), 101.9)


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 0.4)), max_size=100))
def test_whoever_raises_doubts_cannot_make_it_ask_faster(doubts: list[tuple[int, float]]) -> None:
    asking, now = Asking(), 100.0
    put: dict[int, list[float]] = {}
    for question, pause_s in doubts:
        now += pause_s
        if asking.allows(question, now):
            put.setdefault(question, []).append(now)
    for times in put.values():
        assert all(after - before >= 1.0 - 1e-9 for before, after in itertools.pairwise(times))


def test_what_it_remembers_of_questions_is_bounded() -> None:
    asking = Asking()
    for number in range(100_000):
        asking.allows(number, 100.0)
    assert len(asking._put_at) <= 1024
    assert not asking.allows(99_999, 100.5)


def test_each_doubt_is_asked_about_once() -> None:
    asking = Asking()
    for key in ("a", "b", "a"):
        asking.doubt(key)
    assert asking.doubted(100.0) == ["a", "b"]
    assert asking.doubted(100.0) == []
