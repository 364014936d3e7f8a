"""The fuzzer itself: it runs every target, and says which input made one fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import TARGETS

pytest.importorskip("atheris", reason="atheris is not installed here: Linux on x86_64 has it, Python 3.11 to 3.14")

ROOT = Path(__file__).parents[2]


def fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Coverage would measure the child as well, which then runs ten times slower.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-m", "tests.fuzz", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=50)


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_runs(target: str) -> None:
    done = fuzz(target, "--seconds", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.findall(r"stat::number_of_executed_units: (\d+)", done.stderr)[0]) > 100


def test_a_crash_is_written_down_and_named() -> None:
    done = fuzz("broken", "--seconds", "20")
    assert done.returncode == 1, done.stdout + done.stderr
    named = re.findall(r"FAILED: (\S+)\. See it again", done.stdout)
    assert len(named) == 1
    crash = Path(named[0])
    try:
        assert b"!" in crash.read_bytes()
        command = [sys.executable, "-m", "tests.fuzz.again", str(crash)]
        again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
        assert "an exclamation mark" in again.stderr
    finally:
        crash.unlink()


def test_an_unknown_target_is_refused() -> None:
    done = fuzz("nonsense")
    assert done.returncode == 2
    assert "there are txt," in done.stderr
