"""Where the big things stay from run to run, and the rule that half a thing is never taken for a whole one."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_VARIABLE = "HYBRIDISCO_TEST_CACHE"
_STAMP = "hybridisco-stamp"


class SetupError(Exception):
    """Something cannot be had here; the message says why."""


def cache() -> Path:
    """Where it is: ``$HYBRIDISCO_TEST_CACHE``, else in the user's cache folder."""
    if given := os.environ.get(_VARIABLE):
        return Path(given).resolve()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "hybridisco-tests").resolve()


def digest(*parts: str) -> str:
    """What a stamp says: a new text when anything that the thing is made from changes."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def is_stamped(folder: Path, stamp: str) -> bool:
    """Whether ``folder`` was made to its end, from what it would be made from today."""
    try:
        return (folder / _STAMP).read_text(encoding="ascii") == stamp
    except OSError:
        return False


def put_stamp(folder: Path, stamp: str) -> None:
    """Say that ``folder`` is complete: the last step of making it."""
    (folder / _STAMP).write_text(stamp, encoding="ascii")


@contextmanager
def one_at_a_time(job: str) -> Iterator[None]:
    """A second run of a job waits for the first, and then finds its work done."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{job}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def call(argv: Sequence[str], limit_s: float, env: Mapping[str, str] | None = None) -> None:
    """Run a program to its end, which comes after ``limit_s`` at the latest.

    :raises SetupError: it failed, or took too long; with the end of what it printed.
    """
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=max(1.0, limit_s),
            env={**os.environ, **(env or {})},
        )
    except subprocess.TimeoutExpired:
        raise SetupError(f"{_name(argv)} was not done after {limit_s:.0f} s; the mirror may be slow") from None
    except OSError as error:
        raise SetupError(f"{argv[0]} cannot be run: {error.strerror}") from error
    if done.returncode:
        last = "\n    ".join(done.stdout.strip().splitlines()[-8:])
        raise SetupError(f"{_name(argv)} ended with {done.returncode}:\n    {last}")


def tell(text: str) -> None:
    """Say what happens, at once: CI's log shows where the time goes."""
    print(text, file=sys.stderr, flush=True)


def _name(argv: Sequence[str]) -> str:
    return " ".join(Path(part).name if part.startswith("/") else part for part in argv[:5])
