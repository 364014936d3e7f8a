"""doctor, on a machine that is on no network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faces.conftest import Cli

QUICK = ("--timeout", "0.1")


def test_it_tells_people_and_programs_the_same(cli: Cli) -> None:
    said, printed = cli("doctor", *QUICK), cli("doctor", "--json", *QUICK)
    report = json.loads(printed.out)
    wrong = any(check["result"] == "problem" for check in report["checks"])
    assert said.status == printed.status == wrong
    assert said.err == printed.err == ""
    for cause in report["causes"]:
        assert cause["title"] in said.out


def test_wrong_settings_are_a_finding_and_no_failure(cli: Cli, settings: Path) -> None:
    settings.parent.mkdir()
    settings.write_text("x = 1\n")
    result = cli("doctor", "--json", *QUICK)
    assert result.status == 1
    assert json.loads(result.out)["causes"][0]["id"] == "settings-wrong"


@pytest.mark.parametrize("args", [("--host", "a b"), ("--timeout", "x"), ("--what",)])
def test_wrong_usage(cli: Cli, args: tuple[str, ...]) -> None:
    result = cli("doctor", *args)
    assert result.status == 2
    assert result.out == ""
