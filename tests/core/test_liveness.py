"""When it is looked at again."""

from __future__ import annotations

from itertools import pairwise

from hybridisco.core.liveness import BACKOFF_LIMIT_S, CHECK_EVERY_S, next_check_after_s


def test_the_first_failures_do_not_slow_it_down() -> None:
    assert [next_check_after_s(failures) for failures in range(4)] == [CHECK_EVERY_S] * 4


def test_what_stays_dead_is_asked_ever_more_seldom_up_to_a_minute() -> None:
    gaps = [next_check_after_s(failures) for failures in range(100)]
    assert all(one <= other <= 2 * one for one, other in pairwise(gaps))
    assert gaps[4] == 2 * CHECK_EVERY_S
    assert max(gaps) == gaps[-1] == BACKOFF_LIMIT_S == 60.0
