"""The bench runs: two cheap rows, as `python -m bench --quick` runs them, so that it does not rot."""

from __future__ import annotations

import json

import pytest

from bench import rows
from bench.__main__ import main
from tests.lab.net import lab_available
from tests.lab.require import require


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
    assert main(["--only", "nonsense"]) == 2
    assert "mdns-1000" in capsys.readouterr().out


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
