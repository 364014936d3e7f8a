"""The first question: by which addresses it is put when, and what it leaves out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from hybridisco.core.packet import PTR
from hybridisco.sources.turns import AFTER_S, ask_in_turn
from hybridisco.sources.wire import KnownAnswer, Question

TYPE = "_hybridisco._tcp.local."
QUESTIONS: list[Question] = [(TYPE, PTR)]
OWN = ("10.77.0.1", "fd77::1", "fe80::1", "fd99::1")
LATE = frozenset({"fd77::1", "fe80::1"})


class Lan:
    """What is asked there, by which of our addresses and when; and somebody who answers to the first question."""

    def __init__(self, answers_s: tuple[float, ...] = ()) -> None:
        self.asked: list[tuple[list[str], list[str], float]] = []
        self.known: list[KnownAnswer] = []
        self.heard_at: float | None = None
        self._answers_s = answers_s
        self._began = 0.0

    def ask(
        self, questions: list[Question], known: list[KnownAnswer], *, unicast: bool, by: Callable[[str], bool]
    ) -> None:
        """Ask."""
        assert questions == QUESTIONS
        assert unicast, "or what was just said is not said again"
        if not self.asked:
            self._began = time.monotonic()
            for after_s in self._answers_s:
                asyncio.get_running_loop().call_later(after_s, self._answer)
        own = [each for each in OWN if by(each)]
        self.asked.append((own, [name for _, name, *_ in known], time.monotonic() - self._began))

    def _answer(self) -> None:
        self.heard_at = time.monotonic()
        self.known.append((TYPE, f"box-{len(self.known)}.{TYPE}", 4500.0, 0.0))

    async def ask_in_turn(self, late: frozenset[str] = LATE) -> None:
        async with asyncio.timeout(5):
            await ask_in_turn(self, QUESTIONS, late, lambda: list(self.known), lambda: self.heard_at)


async def test_with_one_family_everybody_is_asked_at_once() -> None:
    lan = Lan()
    await lan.ask_in_turn(frozenset())
    assert [own for own, *_ in lan.asked] == [list(OWN)]


async def test_the_other_family_is_asked_for_what_was_not_said_yet() -> None:
    lan = Lan(answers_s=(0.0, 0.001))
    await lan.ask_in_turn()
    first, second = lan.asked
    assert first[0] == ["10.77.0.1", "fd99::1"], "an interface with IPv6 alone does not wait"
    assert second[0] == ["fd77::1", "fe80::1"]
    assert (first[1], second[1]) == ([], [f"box-0.{TYPE}", f"box-1.{TYPE}"])


async def test_what_was_known_before_is_asked_for_again() -> None:
    """The network has changed: it may be there under another address."""
    lan = Lan(answers_s=(0.0,))
    lan.known.append((TYPE, f"known.{TYPE}", 4500.0, 60.0))
    await lan.ask_in_turn()
    assert [known for _, known, _ in lan.asked] == [[], [f"box-1.{TYPE}"]]


async def test_who_speaks_ipv6_alone_is_asked_soon_where_nobody_else_answers() -> None:
    lan = Lan()
    await lan.ask_in_turn()
    assert len(lan.asked) == 2
    assert lan.asked[1][2] >= AFTER_S * 0.9


async def test_a_large_lan_may_finish_first() -> None:
    answers_s = tuple(number * 0.002 for number in range(40))
    lan = Lan(answers_s)
    await lan.ask_in_turn()
    assert len(lan.asked[1][1]) > 20, "more than came before it would have been put"


async def test_a_lan_that_never_rests_is_no_reason_to_wait_for_ever() -> None:
    lan = Lan(tuple(number * 0.002 for number in range(2500)))
    await lan.ask_in_turn()
    assert len(lan.asked) == 2
