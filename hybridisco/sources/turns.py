"""The first question, one family after the other, so that nobody says everything twice.

Theory of operation. A machine that speaks IPv4 and IPv6 answers a question that comes by both twice, and a thousand
services are hundreds of packets. So it is put by IPv4 first, and by IPv6 :data:`AFTER_S` later, or when the answers
ebb, with what was heard as known answers (RFC 6762 section 7.1): those are not given again. Whoever speaks only IPv6
is asked so much later; on an interface that has no IPv4, at once.

What was heard takes further packets where it is more than some forty instances. Most responders answer after the last
of these; Apple's wait for half a second (section 7.2).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from hybridisco.sources.wire import KnownAnswer, Question

AFTER_S = 0.03  # python-zeroconf speaks by then, if it has no more than 2000; Avahi takes its time, up to 0.12 s
_EBB_S = 0.01  # with nothing new
_LOOKS = 50  # whether it ebbs: for a quarter of a second in all


class Voice(Protocol):
    """Whoever can ask: see :meth:`.wire.Wire.ask`."""

    def ask(
        self,
        questions: list[Question],
        known: list[KnownAnswer],
        *,
        unicast: bool,
        by: Callable[[str], bool],
    ) -> None:
        """Ask by multicast, by the sockets with some own addresses."""


async def ask_in_turn(
    wire: Voice,
    questions: list[Question],
    late: frozenset[str],
    known: Callable[[], list[KnownAnswer]],
    heard_at: Callable[[], float | None],
) -> None:
    """Ask for unicast answers; returns when both families were asked.

    :param late: own addresses by which is asked afterwards.
    :param known: gives what need not be said any more; of it counts what was heard since the question.
    :param heard_at: gives the monotonic time at which something was last heard.
    """
    began = time.monotonic()
    wire.ask(questions, [], unicast=True, by=lambda own: own not in late)
    if late:
        await asyncio.sleep(AFTER_S)
        for _ in range(_LOOKS):
            if time.monotonic() - (heard_at() or 0.0) >= _EBB_S:
                break
            await asyncio.sleep(_EBB_S / 2)
        # What was known before may be elsewhere by now: that is what is asked for.
        just_said = [each for each in known() if each[3] <= time.monotonic() - began]
        wire.ask(questions, just_said, unicast=True, by=late.__contains__)
