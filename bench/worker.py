"""A process in a lab host that measures when told to: what is "in process" is measured there, imports paid for."""

from __future__ import annotations

import json
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from bench.measure import Contender, Sample
from tests.lab.net import Host, LabError, python

_READY_LIMIT_S = 30.0
_ANSWER_LIMIT_S = 60.0  # what is measured has limits of its own
_NEVER = float("inf")


class Worker:
    """A contender in a process of its own; made by :func:`worker`."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log
        self.answer(_READY_LIMIT_S)

    def __call__(self) -> Sample:
        """Measure once."""
        self.order("go")
        return {key: _NEVER if value is None else value for key, value in self.answer(_ANSWER_LIMIT_S).items()}

    def order(self, line: str) -> None:
        """Send a line."""
        _pipe(self.process.stdin).write(line + "\n")
        _pipe(self.process.stdin).flush()

    def answer(self, limit_s: float) -> dict[str, Any]:
        """Return what it says next."""
        out = _pipe(self.process.stdout)
        # There is one line for each order, so none waits in Python's buffer.
        line = out.readline() if select.select([out], [], [], limit_s)[0] else ""
        if not line:
            said = self._log.read_text("utf-8", "replace")[-2000:]
            raise LabError(f"no answer within {limit_s:.0f} s from {self.process.args}:\n{said}")
        return dict(json.loads(line))


@contextmanager
def worker(host: Host, target: str, **options: Any) -> Iterator[Worker]:
    """Start ``module:function`` in a host; the function takes ``options`` and returns what measures once."""
    log = host.directory / f"{target.replace(':', '-')}-{time.monotonic_ns()}.log"
    with log.open("w", encoding="utf-8") as errors:
        argv = python("-m", "bench.inside", target, json.dumps(options))
        process = host.popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
    try:
        yield Worker(process, log)
    finally:
        process.kill()
        process.wait()
        _pipe(process.stdout).close()
        # What was ordered and not read any more does not matter.
        process.stdin = None


def fresh(host: Host, target: str, **options: Any) -> Contender:
    """Return a contender that measures in a new process each time, once: the first time that a process does it."""

    def measure() -> Sample:
        with worker(host, target, **options) as once:
            return once()

    return measure


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
