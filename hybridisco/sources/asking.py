"""When the LAN is asked: at once, then ever more seldom, and never the same twice within a second.

Theory of operation (RFC 6762 section 5.2). The first question is followed by others after 1, 2, 4 … s, up to
:data:`LONGEST_S`, each a little early or late, lest machines that were switched on together stay in step. An instance
whose time runs out is asked for before. So a quiet LAN that has settled hears less than one question a minute.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

FIRST_S, LONGEST_S = 1.0, 1800.0  # at half an hour every PTR record (75 minutes) is renewed before it has run out
_SPREAD = 0.02
_AT_LEAST_S = 60.0  # between questions that are put only because something runs out
_SAME_AGAIN_S = 1.0
_REMEMBERED = 1024


class Asking:
    """The pace of the questions."""

    def __init__(self) -> None:
        self.asked_at: float | None = None
        """When the question was put that the caller waits for the answers of; None while it has not been put."""
        self._interval_s = FIRST_S
        self._again = asyncio.Event()
        self._doubted: OrderedDict[str, None] = OrderedDict()
        self._put_at: OrderedDict[object, float] = OrderedDict()

    def restart(self, *, quietly: bool = False) -> None:
        """Ask again now, at the pace of a start.

        :param quietly: nobody waits for the answer, and the question itself has just been put.
        """
        self._interval_s = FIRST_S
        if not quietly:
            self.asked_at = None
        self._again.set()

    def note_asked(self, now: float) -> None:
        """The question is put."""
        if self.asked_at is None:
            self.asked_at = now

    async def next(self, refresh_at: Callable[[], float | None]) -> None:
        """Return when it is time for the next question: a second after the last at the earliest.

        :param refresh_at: when something has to be asked for because it runs out, in monotonic seconds.
        """
        began = time.monotonic()
        pause_s = self._interval_s * random.uniform(1 - _SPREAD, 1 + _SPREAD)
        self._interval_s = min(self._interval_s * 2, LONGEST_S)
        if (due := refresh_at()) is not None:
            pause_s = min(pause_s, max(due - began, _AT_LEAST_S))
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._again.wait()
        if self._again.is_set():
            self._interval_s = FIRST_S
        self._again.clear()
        await asyncio.sleep(max(0.0, FIRST_S * (1 - _SPREAD) - (time.monotonic() - began)))

    # -- about one instance -------------------------------------------------------------------------------

    def doubt(self, key: str) -> None:
        """Somebody wants to know whether an instance is still there."""
        self._doubted[key] = None

    def doubted(self, now: float) -> list[str]:
        """Return the instances that are to be asked about, once."""
        keys = list(self._doubted)
        self._doubted.clear()
        return keys

    def allows(self, question: object, now: float) -> bool:
        """Whether a question may be put now: not when it was within the last second. It is noted as put."""
        if now - self._put_at.get(question, -_SAME_AGAIN_S) < _SAME_AGAIN_S:
            return False
        self._put_at[question] = now
        self._put_at.move_to_end(question)
        while len(self._put_at) > _REMEMBERED:
            self._put_at.popitem(last=False)
        return True
