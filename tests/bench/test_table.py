"""The table: for a terminal, as markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.goal import OURS, Goal, Row
from bench.measure import Contender
from bench.table import Result, as_json, as_markdown, as_text, lines

MACHINE = {"CPU": "2 × slow"}


@contextmanager
def _nothing() -> Iterator[Mapping[str, Contender]]:
    yield {}


ROW = Row(
    "scan",
    "scan 408",
    _nothing,
    (Goal("≤ 2 × C", 2.0, "C"), Goal("none", 0.0, of="lost", worst=True), Goal("–", None, "nmap")),
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
        ("scan 408: lost", "0–0.50–1 lost", "", "", "", "none", "NO"),
        ("scan 408", "5–5.50–6 ms", "nmap never", "4 ms", "0×", "–", "–"),
    ]
    assert not RESULT.met


def test_a_skipped_row_says_why_and_misses_nothing() -> None:
    skipped = Result(ROW, skipped="nmap not installed")
    assert lines(skipped) == [("scan 408", "skipped: nmap not installed", "", "", "", "≤ 2 × C", "–")]
    assert skipped.met


def test_text_and_markdown_have_the_machine_and_every_line() -> None:
    text, markdown = as_text([RESULT], MACHINE), as_markdown([RESULT], MACHINE, "python -m bench")
    for shown in (text, markdown):
        assert "CPU 2 × slow" in shown
        assert shown.count("scan 408") == 3
    assert "| scan 408 | 5–5.50–6 ms | C 4 ms |  | 1.38× | ≤ 2 × C | yes |" in markdown
    assert "`python -m bench`" in markdown


def test_json_has_everything_and_never_is_null() -> None:
    (row,) = json.loads(json.dumps(as_json([RESULT], MACHINE), allow_nan=False))["rows"]
    assert row["measured"]["nmap"] == {"ms": [None, None, None]}
    assert row["measured"][OURS] == {"ms": [5, 5.5, 6], "lost": [0, 0.5, 1]}
    assert [goal["met"] for goal in row["goals"]] == [True, False, None]
