"""Running one script of ``tests/blender/inside`` in one Blender, in a process of its own, and reading what it tells.

Each user has a folder for Blender's settings and extensions, so a second script of the same user is a restart.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.host import REPOSITORY, Host
from tests.lab.process import Process
from tests.lab.wait import LabError, wait_until

from . import setup

LIMIT_S = 120.0  # a bound: most take 2–15 s when nothing else runs
INSIDE = Path(__file__).resolve().parents[1] / "inside"
Facts = dict[str, Any]

# Where the stacks of all threads are printed if a script hangs; before it is killed, or nobody would see them.
_LAST_WORDS_S = 3.0


class Script:
    """One running script. What it tells are lines of JSON in its output, among those of Blender."""

    def __init__(self, process: Process, limit_s: float) -> None:
        self.process = process
        self._end = time.monotonic() + limit_s
        self._limit_s = limit_s

    @property
    def told(self) -> list[tuple[str, Facts]]:
        """All it told so far, in order."""
        lines = self.process.log.splitlines(keepends=True)
        found = [json.loads(line) for line in lines if line.startswith('{"told": ') and line.endswith("\n")]
        return [(facts.pop("told"), facts) for facts in found]

    def all_of(self, what: str) -> list[Facts]:
        """Each time that it told ``what``."""
        return [facts for name, facts in self.told if name == what]

    def __getitem__(self, what: str) -> Facts:
        """What it told by the name ``what``: once, or the last time."""
        found = self.all_of(what)
        assert found, f"the script did not tell {what!r}\n{self.process.log}"
        return found[-1]

    def wait_for(self, what: str) -> Facts:
        """Wait until it tells ``what``; fail at once when it ends before."""

        def seen() -> list[Facts]:
            alive = self.process.running
            found = self.all_of(what)
            if not found and not alive:
                raise self._failed()
            return found

        try:
            return wait_until(seen, self._left_s, f"{self.process} tells {what!r}")[-1]
        except LabError as error:
            raise LabError(f"{error}\n{self.process.log}") from None

    def finish(self) -> Script:
        """Wait for its end, which must be a good one."""
        try:
            self.process.popen.wait(self._left_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise LabError(f"{self.process} hung; killed after {self._limit_s} s:\n{self.process.log}") from None
        if self.process.popen.returncode:
            raise self._failed()
        return self

    @property
    def _left_s(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def _failed(self) -> LabError:
        return LabError(f"{self.process} ended with {self.process.popen.returncode}:\n{self.process.log}")


@dataclass
class Blender:
    """One version of Blender, used by one person, at a machine of the lab or (``host=None``) at this one."""

    version: str
    home: Path
    host: Host | None = None
    _runs: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def extensions(self) -> Path:
        """Where what is installed from disk lies."""
        return self.home / "blender" / "extensions" / "user_default"

    def start(self, script: str, *arguments: str | Path, limit_s: float = LIMIT_S) -> Script:
        """Start a script and let it run; it ends with the lab, or by its own time limit."""
        argv = [str(setup.program(self.version)), str(INSIDE / script), *map(str, arguments)]
        path = self.home / f"{next(self._runs)}-{script.removesuffix('.py')}-{self.version}.log"
        (self.home / "blender").mkdir(exist_ok=True)
        with path.open("w", encoding="utf-8") as log:
            popen = self._popen(argv, limit_s, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return Script(Process(popen, path), limit_s)

    def run(self, script: str, *arguments: str | Path, limit_s: float = LIMIT_S) -> Script:
        """Run a script to its end."""
        return self.start(script, *arguments, limit_s=limit_s).finish()

    def _popen(self, argv: Sequence[str], limit_s: float, **options: Any) -> subprocess.Popen[str]:
        env = {
            "BLENDER_USER_RESOURCES": str(self.home / "blender"),
            "HYBRIDISCO_STATE": str(self.home / "state"),
            "SCRIPT_LIMIT_S": str(limit_s - _LAST_WORDS_S),
            "PYTHONUNBUFFERED": "1",
        }
        if self.host is not None:
            return self.host.popen(argv, env=env, **options)
        private = ("XDG_", "HYBRIDISCO_", "BLENDER_", "PYTHON")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(private)}
        env = {**kept, "HOME": str(self.home), **env}
        return subprocess.Popen(argv, env=env, text=True, cwd=REPOSITORY, start_new_session=True, **options)
