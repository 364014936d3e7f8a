"""A machine of its own for each test: a folder as its root, and recorded programs instead of systemd's."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from announcers.service.machine import Machine

_FAKE = """\
#!{python}
import json, os, pathlib, sys
here = pathlib.Path(__file__)
with here.with_name("calls.jsonl").open("a") as out:
    out.write(json.dumps([here.name, *sys.argv[1:]]) + "\\n")
fails = here.with_name("fails.json")
for words, message in (json.loads(fails.read_text()) if fails.exists() else []):
    if words in sys.argv:
        sys.exit(message)
"""


class Programs:
    """Programs on PATH that only write down how they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in ("systemctl", "launchctl", "install", "schtasks", "icacls"):
            file = folder / name
            file.write_text(_FAKE.format(python=sys.executable))
            file.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """The command lines so far."""
        file = self.folder / "calls.jsonl"
        return [" ".join(json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []

    def forget(self) -> None:
        (self.folder / "calls.jsonl").unlink(missing_ok=True)

    def fail(self, word: str, message: str) -> None:
        """Let every call with ``word`` fail."""
        (self.folder / "fails.json").write_text(json.dumps([[word, message]]))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """The recorded programs, first on PATH."""
    made = Programs(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{made.folder}{os.pathsep}{os.environ['PATH']}")
    return made


@pytest.fixture
def machine(tmp_path: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A Linux box run by systemd, with Hybridisco in /opt, as root sees it."""
    root = tmp_path / "root"
    program = root / "opt/hybridisco/bin/hybridisco"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (root / "run/systemd/system").mkdir(parents=True)
    monkeypatch.delenv("HYBRIDISCO_CONFIG", raising=False)
    monkeypatch.setenv("HYBRIDISCO_STATE", str(tmp_path / "state"))
    environ = {"PATH": os.environ["PATH"]}
    return Machine("linux", "ada", 0, Path("/home/ada"), ("/opt/hybridisco/bin/hybridisco",), environ, root)


@pytest.fixture
def of_ada(machine: Machine) -> Machine:
    """The same box, as a user without rights sees it."""
    return replace(machine, uid=1000)
