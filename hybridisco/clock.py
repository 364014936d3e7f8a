"""A clock that never goes back: seconds since the epoch, whatever somebody does to this machine's wall clock.

It starts as the wall clock and then follows the monotonic one, which stands still while the machine sleeps on most
systems. A sleep is added when it is noticed, as the wall clock's jump ahead; that the wall clock is set back is not.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_SLEPT_S = 5.0  # a jump that is less than this is a clock being corrected


class SteadyClock:
    """Counts seconds since the epoch.

    :param clocks: gives the wall clock and the monotonic clock, in seconds.
    """

    def __init__(self, clocks: Callable[[], tuple[float, float]] = lambda: (time.time(), time.monotonic())) -> None:
        self._clocks = clocks
        wall, monotonic = clocks()
        self._offset = self._usual = wall - monotonic

    def now(self) -> float:
        """Return the time."""
        return self._clocks()[1] + self._offset

    def slept(self) -> bool:
        """Return whether the machine has slept since the last call (or its clock was set ahead), and catch up."""
        wall, monotonic = self._clocks()
        jump, self._usual = wall - monotonic - self._usual, wall - monotonic
        if jump <= _SLEPT_S:
            return False
        self._offset += jump
        return True
