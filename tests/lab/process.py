"""A process of its own process group, with its output in a file that can be waited on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from .wait import LabError, wait_until

STOP_TIMEOUT_S = 5.0


class Process:
    """A started program: its log, waiting for a line in it, and its end.

    ``popen`` must lead a process group of its own (``start_new_session=True``), so that children die with it.
    """

    def __init__(self, popen: subprocess.Popen[str], log: Path) -> None:
        self.popen = popen
        self.log_path = log

    def __str__(self) -> str:
        return self.log_path.stem

    @property
    def log(self) -> str:
        """All it printed so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    @property
    def running(self) -> bool:
        return self.popen.poll() is None

    def wait_for_log(self, pattern: str, timeout_s: float, count: int = 1) -> None:
        """Wait until ``pattern`` stands ``count`` times in the log; fail at once when the process ends."""

        def seen() -> bool:
            alive = self.running
            if len(re.findall(pattern, self.log)) >= count:
                return True
            if not alive:
                raise LabError(f"{self} ended with {self.popen.returncode}:\n{self.log}")
            return False

        try:
            wait_until(seen, timeout_s, f"{pattern!r} in the log of {self}")
        except LabError as error:
            raise LabError(f"{error}\n{self.log}") from None

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the whole group: politely first, by force after ``STOP_TIMEOUT_S``; twice does no harm."""
        self._signal(how)
        with suppress(subprocess.TimeoutExpired):
            self.popen.wait(STOP_TIMEOUT_S)
        self._signal(signal.SIGKILL)  # also the children that outlive their parent
        self.popen.wait(STOP_TIMEOUT_S)

    def kill(self) -> None:
        """End it as a power cut does: no goodbye."""
        self.stop(signal.SIGKILL)

    def _signal(self, how: signal.Signals) -> None:
        try:
            os.killpg(self.popen.pid, how)
        except (ProcessLookupError, PermissionError):
            return
