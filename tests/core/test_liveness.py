"""The table of life and death, cell by cell, and the times in it."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from hybridisco.core.liveness import (
    BACKOFF_LIMIT_S,
    CHECK_EVERY_S,
    GONE_AFTER_S,
    HANGS_FOR_S,
    WATCHED_EVERY_S,
    Life,
    Sign,
    State,
    next_check_after_s,
)

A, F = Sign.ANSWERED, Sign.FAILED
CONNECTION_S, TICK_S = 1.0, 0.5  # a look takes that long to fail; so often it is noticed that one is due


def life(state: State, since: float = 0.0, *, failures: int = 0, hangs: bool = False) -> Life:
    return Life(state, since, failures, hangs)


TABLE = {
    (State.NEW, A): State.ALIVE,
    (State.NEW, F): State.DEAD,
    (State.ALIVE, A): State.ALIVE,
    (State.ALIVE, F): State.SUSPECT,
    (State.SUSPECT, A): State.ALIVE,
    (State.SUSPECT, F): State.SUSPECT,
    (State.GONE, A): State.ALIVE,
    (State.GONE, F): State.GONE,
    (State.DEAD, A): State.ALIVE,
    (State.DEAD, F): State.DEAD,
}


@pytest.mark.parametrize(("state", "sign"), list(product(State, (A, F))))
def test_each_cell_of_the_table(state: State, sign: Sign) -> None:
    assert life(state).after(sign, 1.0).state is TABLE[state, sign]


@pytest.mark.parametrize("state", State)
def test_only_what_is_suspected_goes_by_being_silent(state: State) -> None:
    expected = State.GONE if state is State.SUSPECT else state
    assert life(state).at(GONE_AFTER_S - 0.1).state is state
    assert life(state).at(GONE_AFTER_S).state is expected
    assert life(state).at(1_000_000.0).state is expected


class TestSince:
    def test_the_silence_counts_from_the_first_failure(self) -> None:
        silent = life(State.ALIVE).after(F, 10.0).after(F, 14.0).after(F, 18.0)
        assert (silent.state, silent.since) == (State.SUSPECT, 10.0)
        assert silent.at(10.0 + GONE_AFTER_S).state is State.GONE

    def test_an_answer_in_between_begins_it_anew(self) -> None:
        silent = life(State.ALIVE).after(F, 10.0).after(A, 14.0).after(F, 18.0)
        assert silent.at(18.0 + GONE_AFTER_S - 0.1).state is State.SUSPECT

    def test_a_failure_after_it_went_leaves_it_gone(self) -> None:
        assert life(State.SUSPECT).after(F, GONE_AFTER_S + 4.0).state is State.GONE

    def test_an_answer_after_it_went_brings_it_back(self) -> None:
        back = life(State.SUSPECT, failures=9).after(A, 1_000.0)
        assert back == Life(State.ALIVE, 1_000.0)


class TestFailures:
    def test_are_counted_in_a_row(self) -> None:
        one = life(State.ALIVE)
        counts = []
        for sign in (F, F, A, F):
            one = one.after(sign, 1.0)
            counts.append(one.failures)
        assert counts == [1, 2, 0, 1]

    def test_do_not_end_when_it_goes(self) -> None:
        gone = life(State.SUSPECT, failures=3).after(F, GONE_AFTER_S)
        assert (gone.state, gone.failures) == (State.GONE, 4)


class TestHangs:
    def test_what_takes_connections_keeps_its_place_for_ten_minutes(self) -> None:
        hanging = life(State.ALIVE).after(F, 0.0, hangs=True)
        assert hanging.at(HANGS_FOR_S - 0.1).state is State.SUSPECT
        assert hanging.at(HANGS_FOR_S).state is State.GONE

    def test_what_takes_them_no_longer_goes_as_anything_else(self) -> None:
        dead = life(State.ALIVE).after(F, 0.0, hangs=True).after(F, 60.0)
        assert dead.at(60.0).state is State.GONE, "it was silent for long enough already"

    def test_an_answer_ends_it(self) -> None:
        assert not life(State.ALIVE).after(F, 0.0, hangs=True).after(A, 1.0).hangs


class TestAgain:
    def test_a_silence_begins_anew(self) -> None:
        heard_again = life(State.SUSPECT, failures=5).again(100.0)
        assert heard_again == Life(State.SUSPECT, 100.0)
        assert heard_again.at(100.0 + GONE_AFTER_S - 0.1).state is State.SUSPECT

    def test_what_hangs_is_still_what_hangs(self) -> None:
        assert life(State.SUSPECT, hangs=True).again(100.0).hangs

    @pytest.mark.parametrize("state", [s for s in State if s is not State.SUSPECT])
    def test_nothing_else_is_touched(self, state: State) -> None:
        assert life(state, failures=5).again(100.0) == life(state, failures=5)


class TestPace:
    @pytest.mark.parametrize("every_s", [CHECK_EVERY_S, WATCHED_EVERY_S])
    def test_the_first_failures_do_not_slow_it_down(self, every_s: float) -> None:
        assert [next_check_after_s(failures, every_s) for failures in range(4)] == [every_s] * 4

    def test_what_stays_dead_is_asked_ever_more_seldom_up_to_a_minute(self) -> None:
        gaps = [next_check_after_s(failures) for failures in range(100)]
        assert all(one <= other <= 2 * one for one, other in pairwise(gaps))
        assert gaps[4] == 2 * CHECK_EVERY_S
        assert max(gaps) == gaps[-1] == BACKOFF_LIMIT_S == 60.0

    def test_a_night_of_failures_is_as_good_as_an_hour(self) -> None:
        assert next_check_after_s(100_000) == BACKOFF_LIMIT_S

    def test_a_box_that_dies_just_after_a_look_is_stale_in_5_s_and_gone_in_15(self) -> None:
        stale_s = CHECK_EVERY_S + CONNECTION_S
        assert stale_s <= 5.0
        assert stale_s + GONE_AFTER_S + 2 * TICK_S <= 15.0
