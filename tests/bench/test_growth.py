"""Where growth stops being linear, and what a process at rest amounts to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench import growth, rest
from bench.growth import bend, plain
from bench.rest import summary


def _points(*costs: float) -> list[tuple[int, dict[str, float]]]:
    return [(10**number, {"ms": cost}) for number, cost in enumerate(costs)]


def test_linear_growth_has_no_bend() -> None:
    assert bend(_points(20, 200, 2000), "ms") is None
    assert bend(_points(20, 25, 60), "ms") is None


def test_the_bend_is_where_it_stays_steep() -> None:
    assert bend(_points(20, 200, 20_000, 2_000_000), "ms") == 10
    assert bend(_points(20, 2000, 20_000, 200_000), "ms") is None  # only one step, and then linear again


def test_what_costs_next_to_nothing_is_not_looked_at() -> None:
    assert bend(_points(0.01, 9, 90), "ms") is None


def test_axes_have_plain_numbers() -> None:
    assert [plain(value) for value in (0.05, 1.0, 2000.0, 500_000.0, 2e6)] == ["0.05", "1", "2000", "500000", "2000000"]


def test_growth_says_what_it_writes_needs_and_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        growth.main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    for word in ("python -m bench.growth", "docs/growth-services.png", "needs root", "three minutes", "(default: 3)"):
        assert word in said


@pytest.mark.parametrize(
    ("main", "option"), [(growth.main, "--rounds"), (rest.main, "--seconds"), (rest.main, "--services")]
)
def test_nothing_is_not_measured(
    main: Callable[[list[str]], int], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([option, "0"])
    assert ended.value.code == 2
    assert f"{option}: must be a whole number, at least 1" in capsys.readouterr().err


def test_rest_is_judged_from_the_first_minute_on() -> None:
    same = {"descriptors": 9, "threads": 2, "services": 3, "online": 3}
    samples = [
        {"s": 5.0 * n, "mib": 50.0 + (30 if n < 12 else 0), "tasks": 7 + n % 2, "cpu_s": 0.05 * n, **same}
        for n in range(60)
    ]
    facts = summary(samples, 60)
    assert (facts["flat"], facts["no growth"], facts["cpu, percent of a core"]) == (True, True, 1.0)
    for number, sample in enumerate(samples):
        sample["descriptors"] = 9 + number
    assert not summary(samples, 60)["no growth"]
