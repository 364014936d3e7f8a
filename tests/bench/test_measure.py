"""Interleaving, and what samples amount to."""

from __future__ import annotations

from bench.measure import Sample, Spread, interleave, show, spread


def test_every_round_runs_each_once_and_another_goes_first() -> None:
    order: list[str] = []

    def contender(name: str) -> Sample:
        order.append(name)
        return {"ms": float(len(order))}

    pauses: list[float] = []
    both = {"a": lambda: contender("a"), "b": lambda: contender("b")}
    samples = interleave(both, 3, pause_s=0.5, warm_up=False, sleep=pauses.append)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert pauses == [0.5] * 6
    assert samples == {"a": [{"ms": 1}, {"ms": 4}, {"ms": 5}], "b": [{"ms": 2}, {"ms": 3}, {"ms": 6}]}


def test_a_warm_up_is_not_counted() -> None:
    runs: list[None] = []

    def contender() -> Sample:
        runs.append(None)
        return {"ms": float(len(runs))}

    assert interleave({"a": contender}, 2) == {"a": [{"ms": 2}, {"ms": 3}]}


def test_a_spread_is_minimum_median_and_maximum() -> None:
    assert Spread.of([3.0, 1.0, 8.0]) == Spread(1.0, 3.0, 8.0)
    assert str(Spread.of([3.0, 1.0, 8.25])) == "1–3–8.25"
    assert str(Spread.of([2.0, 2.0])) == "2"
    assert spread([{"ms": 1.0}], "packets") is None
    assert spread([{"ms": 1.0}, {"packets": 2.0}], "packets") == Spread(2.0, 2.0, 2.0)


def test_numbers_have_the_digits_that_they_are_worth() -> None:
    assert [show(x) for x in (0.333, 12.34, 123.4, 5.0, float("inf"))] == ["0.33", "12.3", "123", "5", "never"]
