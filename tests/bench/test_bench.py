"""The bench runs: two cheap rows, as `python -m bench --quick` runs them, so that it does not rot."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import pytest

from bench import machine, rows
from bench.__main__ import RESULTS, main, measure
from bench.goal import OURS, Goal, Row
from bench.measure import Contender, Sample
from tests.lab.net import lab_available
from tests.lab.require import require


@contextmanager
def _setup(contender: Contender, tidying: Exception | None = None) -> Iterator[Mapping[str, Contender]]:
    try:
        yield {OURS: contender}
    finally:
        if tidying:
            raise tidying


def _row(name: str, contender: Contender, tidying: Exception | None = None) -> Row:
    return Row(name, f"what {name} does", partial(_setup, contender, tidying), (Goal("≤ 5 ms", 5.0),))


def _works() -> Sample:
    return {"ms": 2.0}


def _interrupted(number: int) -> Sample:
    os.kill(os.getpid(), number)
    return {"ms": 3.0}


def _fails(error: Exception) -> Sample:
    raise error


@pytest.mark.netns
def test_two_cheap_rows(capsys: pytest.CaptureFixture[str]) -> None:
    require(lab_available())
    main(["--quick", "--json", "--only", "help", "--only", "mdns-first"])
    help_, first = json.loads(capsys.readouterr().out)["rows"]
    assert (help_["name"], help_["skipped"]) == ("help", None)
    assert set(help_["measured"]) == {"ours", "python -c pass", "argparse --help"}
    assert (first["name"], first["skipped"]) == ("mdns-first", None)
    assert first["measured"]["ours"]["lost"] == [0, 0, 0]
    assert first["measured"]["ours"]["packets"][0] > 0


def test_an_unknown_row_is_told_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--only", "nonsense"], ["--only", "help", "--only", "nonsense"]):
        assert main(arguments) == 2
        said = capsys.readouterr().out
        assert "no row nonsense" in said and "mdns-1000" in said


def test_the_list_has_every_row_in_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in listed] == [row.name for row in rows.every()]
    assert "identify-nmap" in listed[-1]
    starts = {line.index(row.headline, len(row.name) + 2) for line, row in zip(listed, rows.every(), strict=True)}
    assert len(starts) == 1
    assert main(["--list", "--family", "beside"]) == 0
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {"beside"}


def test_no_two_rows_have_the_same_headline() -> None:
    assert len({row.headline for row in rows.every()}) == len(rows.every())


def test_help_explains_families_columns_and_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    for family, meaning in rows.FAMILIES.items():
        assert re.search(rf"^  {family} +{re.escape(meaning)}$", said, re.MULTILINE)
    said = " ".join(said.split())
    for words in ("each row's own", "min–median–max", "the least that any program needs", "below 1 is faster", "130"):
        assert words in said


@pytest.mark.parametrize("rounds", ["0", "-3", "few"])
def test_at_least_one_round(rounds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([f"--rounds={rounds}", "--only", "help"])
    assert ended.value.code == 2
    assert f"must be a whole number, at least 1, and not '{rounds}'" in capsys.readouterr().err


def test_without_root_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    if reason := machine.unfit():
        assert "network namespace" in reason or "not installed" in reason
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["--only", "help"]) == 2
    assert "run it with sudo" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("tidying", [None, OSError("its programs are gone")])
def test_what_was_measured_before_an_interruption_is_kept(number: int, tidying: Exception | None) -> None:
    before = signal.getsignal(number)
    stopped = _row("second", partial(_interrupted, number), tidying)
    results, interrupted = measure([_row("first", _works), stopped, _row("third", _works)])
    assert [result.row.name for result in results] == ["first"]
    assert interrupted
    assert signal.getsignal(number) is before


@pytest.mark.netns
def test_an_interrupted_run_prints_its_table_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    require(lab_available())
    every = [_row("first", _works), _row("second", partial(_interrupted, signal.SIGTERM)), _row("third", _works)]
    assert main(["--rounds", "1"], every) == 130
    said = capsys.readouterr()
    assert "what first does" in said.out and "what second does" not in said.out
    assert "1 of 3 rows were measured" in said.err


def test_a_row_that_fails_says_why_and_does_not_stop_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    broken = [_row("broken", partial(_fails, error)) for error in (KeyError("ver"), AssertionError(), TimeoutError())]
    results, interrupted = measure([*broken, _row("last", _works)])
    assert [result.failed for result in results] == ["KeyError: 'ver'", "AssertionError", "TimeoutError", None]
    assert [result.met for result in results] == [False, False, False, True]
    assert not interrupted
    said = capsys.readouterr().err
    assert "failed: KeyError: 'ver'" in said
    assert re.search(r"\[4/4\] what last does … \d+ s; 1 goal: 1 met", said)


def test_every_goal_of_the_table_has_a_row() -> None:
    named = {row.name for row in rows.every() if row.family == "goals"}
    scans = {"scan-5", "identify-5", "identify-hostile", "list-nothing", "list-5", "list-10", "help"}
    assert named == scans | {
        "mdns-first",
        "mdns-1000",
        "mdns-beside-2",
        "changes",
        "interface-up",
        "known",
        "known-sidecar",
    }
    assert len({row.name for row in rows.every()}) == len(rows.every())


def test_a_single_row_never_takes_the_place_of_a_whole_family(capsys: pytest.CaptureFixture[str]) -> None:
    before = RESULTS.read_text("utf-8")
    assert main(["--only", "help", "--write"]) == 2
    assert "--only" in capsys.readouterr().err
    assert RESULTS.read_text("utf-8") == before
