"""The table: for a terminal, as markdown and as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.goal import OURS, Goal, Row, compared
from bench.measure import Contender
from bench.table import Result, as_json, as_markdown, as_text, lines, tally

MACHINE = {"CPU": "2 × slow"}


@contextmanager
def _nothing() -> Iterator[Mapping[str, Contender]]:
    yield {}


ROW = Row(
    "scan",
    "scan 408",
    _nothing,
    (Goal("≤ 2 × C", 2.0, "C"), Goal("none", 0.0, of="lost", worst=True), compared("nmap")),
    floor="C",
)
SAMPLES = {
    OURS: [{"ms": 5.0, "lost": 0.0}, {"ms": 6.0, "lost": 1.0}],
    "C": [{"ms": 4.0}, {"ms": 4.0}],
    "nmap": [{"ms": float("inf")}],
}
RESULT = Result(ROW, SAMPLES)


def test_each_goal_is_a_line() -> None:
    assert lines(RESULT) == [
        ("scan 408", "5–5.50–6 ms", "C 4 ms", "", "1.38×", "≤ 2 × C", "yes"),
        ("… lost", "0–0.50–1 lost", "", "", "", "none", "NO"),
        ("… time", "5–5.50–6 ms", "nmap never", "4 ms", "peer: never", "compared", "–"),
    ]
    assert not RESULT.met


def test_a_skipped_row_says_why_and_misses_nothing() -> None:
    skipped = Result(ROW, skipped="nmap not installed")
    assert lines(skipped) == [("scan 408", "skipped: nmap not installed", "", "", "", "≤ 2 × C", "–")]
    assert skipped.met


def test_a_failed_row_says_why_and_is_not_met() -> None:
    failed = Result(ROW, failed="LabError: no answer")
    assert lines(failed)[0][1] == "failed: LabError: no answer"
    assert not failed.met
    assert tally([RESULT, failed]) == "4 goals: 1 met, 1 not, 2 not measured"


def test_a_long_reason_does_not_widen_the_table() -> None:
    failed = Result(ROW, failed="LabError: " + "so it is said " * 10)
    (measured,) = (line for line in as_text([RESULT, failed], MACHINE).splitlines() if line.startswith("scan 408  5"))
    assert len(measured) < 80


def test_a_quantity_is_named_once() -> None:
    twice = dataclasses.replace(ROW, goals=(compared("C"), compared("nmap"), compared("C", "lost"), compared("C")))
    assert [line[0] for line in lines(Result(twice, SAMPLES))] == ["scan 408", "", "… lost", "… time"]
    first = dataclasses.replace(ROW, goals=(compared("C", "lost"), compared("nmap", "lost")))
    assert [line[0] for line in lines(Result(first, SAMPLES))] == ["scan 408: lost", ""]


def test_who_never_came_to_an_end_is_said() -> None:
    never, some, none = [{"ms": float("inf")}], [{"ms": 2.0}], [{"ms": 0.0}]
    pairs = {"peer: never": (some, never), "ours: never": (never, some), "both: never": (never, never)}
    pairs |= {"peer: 0": (some, none), "0×": (none, some)}
    for shown, (ours, peer) in pairs.items():
        (line,) = lines(Result(dataclasses.replace(ROW, goals=(compared("C"),)), {OURS: ours, "C": peer}))
        assert line[4] == shown


def test_all_goals_met_is_said_short() -> None:
    assert tally([Result(dataclasses.replace(ROW, goals=ROW.goals[:1]), SAMPLES)]) == "1 goal: 1 met"
    assert tally([Result(dataclasses.replace(ROW, goals=ROW.goals[2:]), SAMPLES)]) == "no goals, only compared"


def test_text_and_markdown_have_the_machine_and_every_line() -> None:
    text, markdown = as_text([RESULT], MACHINE), as_markdown([RESULT], MACHINE, "python -m bench")
    for shown in (text, markdown):
        assert "CPU 2 × slow" in shown
        assert shown.count("scan 408") == 1
        assert "2 goals: 1 met, 1 not" in shown
    assert "| scan 408 | 5–5.50–6 ms | C 4 ms |  | 1.38× | ≤ 2 × C | yes |" in markdown
    assert "`python -m bench`" in markdown
    assert "below 1 is faster" in markdown


def test_what_was_not_measured_again_stays_in_the_file() -> None:
    other = Result(dataclasses.replace(ROW, headline="scan 10", family="sizes"), SAMPLES)
    both = as_markdown([RESULT], MACHINE, "now", as_markdown([other], {"CPU": "fast"}, "earlier"))
    assert both.count("| scan 10 |") == both.count("| scan 408 |") == 1
    assert both.index("## Goals") < both.index("`now`") < both.index("## Sizes") < both.index("`earlier`")
    assert "CPU fast" in both and "CPU 2 × slow" in both
    again = as_markdown([other], {"CPU": "fast"}, "earlier", both)
    assert again == both


def test_json_has_everything_and_never_is_null() -> None:
    (row,) = json.loads(json.dumps(as_json([RESULT], MACHINE), allow_nan=False))["rows"]
    assert row["measured"]["nmap"] == {"ms": [None, None, None]}
    assert row["measured"][OURS] == {"ms": [5, 5.5, 6], "lost": [0, 0.5, 1]}
    assert [goal["met"] for goal in row["goals"]] == [True, False, None]
