"""Waiting with a bound: no test sleeps to "wait long enough"."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.005  # short against everything the lab waits for, long against one poll's own cost


class LabError(Exception):
    """Something in the lab could not be set up, or did not happen in time."""


def wait_until(condition: Callable[[], T], timeout_s: float, what: str) -> T:
    """Return the first true answer of ``condition``; raise ``LabError`` when none came in ``timeout_s``."""
    end = time.monotonic() + timeout_s
    while not (answer := condition()):
        if time.monotonic() > end:
            raise LabError(f"not within {timeout_s} s: {what}")
        time.sleep(POLL_S)
    return answer
