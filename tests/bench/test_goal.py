"""When a goal is met."""

from __future__ import annotations

from bench.goal import OURS, Goal, Verdict, compared, judge

NEVER = float("inf")


def _times(*values: float, of: str = "ms") -> list[dict[str, float]]:
    return [{of: value} for value in values]


def test_medians_are_compared() -> None:
    samples = {OURS: _times(1, 2, 90), "peer": _times(4, 5, 6)}
    assert judge(Goal("≤ 0.4 ×", 0.4, "peer"), samples) == Verdict(0.4, True)
    assert judge(Goal("≤ 0.3 ×", 0.3, "peer"), samples) == Verdict(0.4, False)
    assert judge(compared("peer"), samples) == Verdict(0.4, None)


def test_an_absolute_goal_may_hold_for_the_worst() -> None:
    samples = {OURS: _times(1, 2, 90)}
    assert judge(Goal("≤ 50", 50), samples) == Verdict(None, True)
    assert judge(Goal("≤ 50", 50, worst=True), samples) == Verdict(None, False)


def test_what_never_happens_is_worse_than_everything() -> None:
    assert judge(Goal("≤", 1, "peer"), {OURS: _times(5), "peer": _times(NEVER)}) == Verdict(0.0, True)
    assert judge(Goal("≤", 1, "peer"), {OURS: _times(NEVER), "peer": _times(NEVER)}) == Verdict(NEVER, False)


def test_what_was_not_counted_meets_no_goal() -> None:
    assert judge(Goal("none", 0.0, of="lost"), {OURS: _times(5)}).met is False
    assert judge(Goal("≤", 1, "peer", "packets"), {OURS: _times(5, of="packets"), "peer": _times(5)}).met is None


def test_nothing_against_nothing_is_a_draw() -> None:
    assert judge(Goal("≤", 1, "peer", "lost"), {OURS: _times(0, of="lost"), "peer": _times(0, of="lost")}).met
