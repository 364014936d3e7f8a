"""Carrying out checks: what is known goes first, one machine after the other, and a slow one has help."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hybridisco import checks as module
from hybridisco.checks import UNKNOWN_AT_ONCE, Checks
from hybridisco.core.liveness import HEDGE_S
from hybridisco.core.model import Announcement, Check, Endpoint
from tests.say import at, look, online

LIMIT_S = 10.0
BOX = "10.0.0.2"


class FakeProbe:
    """Looks at endpoints; some hang until they are let go.

    :param stuck: addresses where it hangs; all of them when None.
    """

    def __init__(self, *stuck: str | None) -> None:
        self.stuck = set(stuck)
        self.began: list[Endpoint] = []
        self.ended: list[Endpoint] = []
        self._changed = asyncio.Event()

    async def check(self, endpoint: Endpoint, kind: str | None) -> Announcement:
        """Look, as long as it takes."""
        self._note(self.began, endpoint)
        try:
            while self.stuck & {endpoint.address, None}:
                await self._changed.wait()
        finally:
            for _ in range(5):
                await asyncio.sleep(0)  # closing a connection takes a moment
            self._note(self.ended, endpoint)
        return look(endpoint, online(kind))

    def let_go(self, *addresses: str | None) -> None:
        """What was stuck there goes on."""
        self.stuck -= set(addresses)
        self._stir()

    async def until(self, count: int) -> None:
        """Return when so many looks have begun."""
        async with asyncio.timeout(LIMIT_S):
            while len(self.began) < count:
                await self._changed.wait()

    def _note(self, where: list[Endpoint], endpoint: Endpoint) -> None:
        where.append(endpoint)
        self._stir()

    def _stir(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class Desk:
    """Checks, their probe, and what they found."""

    def __init__(self, probe: FakeProbe) -> None:
        self.probe = probe
        self.found: list[str] = []
        self.has_found = asyncio.Event()
        self.checks = Checks(self._get, self._emit)

    def _emit(self, said: Announcement) -> None:
        self.found.append(said.endpoints[0].dial)
        self.has_found.set()

    async def _get(self) -> FakeProbe:
        return self.probe

    def look(self, *addresses: str, port: int = 8188, known: bool = True, others: tuple[str, ...] = ()) -> None:
        for address in addresses:
            self.checks.look(
                Check(at(address, port), "comfyui", tuple(at(other, port) for other in others), known=known)
            )

    @property
    def began(self) -> list[str]:
        return [endpoint.dial for endpoint in self.probe.began]

    async def done(self) -> None:
        async with asyncio.timeout(LIMIT_S):
            await self.checks.done()


@asynccontextmanager
async def desk(*stuck: str | None) -> AsyncIterator[Desk]:
    """A desk that leaves no task behind."""
    before = asyncio.all_tasks()
    made = Desk(FakeProbe(*stuck))
    try:
        yield made
    finally:
        await made.checks.close()
        assert asyncio.all_tasks() == before


def crowd(size: int) -> list[str]:
    return [f"10.66.{number // 200}.{number % 200 + 1}" for number in range(size)]


async def test_what_is_found_is_told() -> None:
    async with desk() as d:
        d.look(BOX, "10.0.0.3")
        await d.done()
    assert sorted(d.found) == [BOX, "10.0.0.3"]


async def test_an_endpoint_is_looked_at_by_one_task_at_a_time() -> None:
    async with desk(BOX) as d:
        for known in (True, True, False):
            d.look(BOX, known=known)
        await d.probe.until(1)
        d.look(BOX)
        d.probe.let_go(BOX)
        await d.done()
        assert d.found == [BOX]
        d.look(BOX)
        await d.done()
    assert d.found == [BOX] * 2, "and again when it is over"


async def test_unknown_ones_are_looked_at_a_few_at_a_time_and_all_in_the_end() -> None:
    strangers = crowd(3 * UNKNOWN_AT_ONCE)
    async with desk(None) as d:
        d.look(*strangers, known=False)
        await d.probe.until(UNKNOWN_AT_ONCE)
        assert d.began == strangers[:UNKNOWN_AT_ONCE]
        d.probe.let_go(None)
        await d.done()
        assert sorted(d.found) == sorted(strangers)
        d.look(*strangers[:2], known=False)
        await d.done()
    assert len(d.found) == len(strangers) + 2, "the lane is free again"


async def test_a_flood_of_unknown_ones_does_not_delay_a_known_one() -> None:
    async with desk(*crowd(2_000)) as d:
        d.look(*crowd(2_000), known=False)
        d.look(BOX)
        await d.probe.until(UNKNOWN_AT_ONCE + 1)
        assert d.began[-1] == BOX
        await asyncio.wait_for(d.has_found.wait(), LIMIT_S)
    assert d.found == [BOX]


async def test_what_waits_and_becomes_known_is_looked_at_now() -> None:
    strangers = crowd(UNKNOWN_AT_ONCE)
    async with desk(*strangers) as d:
        d.look(*strangers, BOX, known=False)
        d.look(BOX)
        await d.probe.until(UNKNOWN_AT_ONCE + 1)
        assert d.began[-1] == BOX


async def test_machines_take_turns() -> None:
    """One that announces a thousand ports cannot make the next one wait for all of them."""
    busy = crowd(UNKNOWN_AT_ONCE)
    async with desk(*busy) as d:
        d.look(*busy, known=False)
        for port in range(1, 51):
            d.look("10.99.0.1", port=port, known=False)
        d.look("10.0.0.3", "10.0.0.4", known=False)
        await d.probe.until(len(busy))
        d.probe.let_go(busy[0])
        await d.probe.until(len(busy) + 52)
        assert d.began[len(busy) : len(busy) + 3] == ["10.99.0.1", "10.0.0.3", "10.0.0.4"]


async def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAITING_LIMIT", 10)
    async with desk(None) as d:
        d.look(*crowd(UNKNOWN_AT_ONCE + 100), known=False)
        await d.probe.until(UNKNOWN_AT_ONCE)
        d.probe.let_go(None)
        await d.done()
    assert len(d.found) == UNKNOWN_AT_ONCE + 10


class TestSlowOnes:
    async def test_its_other_addresses_are_looked_at_meanwhile(self) -> None:
        async with desk(BOX) as d:
            loop = asyncio.get_running_loop()
            began = loop.time()
            d.look(BOX, others=("10.0.1.2", "fd00::2"))
            await d.probe.until(3)
            assert HEDGE_S - 0.05 <= loop.time() - began < LIMIT_S / 2
            assert d.began == [BOX, "10.0.1.2", "fd00::2"]
            d.probe.let_go(BOX)
            await d.done()
        assert sorted(d.found) == sorted([BOX, "10.0.1.2", "fd00::2"])

    async def test_not_when_it_answers_in_time(self) -> None:
        async with desk() as d:
            d.look(BOX, others=("10.0.1.2",))
            await d.done()
        assert d.began == [BOX]


class TestClose:
    async def test_every_look_has_ended_when_it_returns(self) -> None:
        async with desk(None) as d:
            d.look(BOX)
            d.look("10.0.0.3", others=("10.0.0.4",))
            d.look(*crowd(100), known=False)
            await d.probe.until(UNKNOWN_AT_ONCE + 3)
            await d.checks.close()
            assert len(d.probe.ended) == len(d.probe.began) == UNKNOWN_AT_ONCE + 3
        assert d.found == []

    async def test_so_has_one_that_was_not_slow_yet(self) -> None:
        async with desk(None) as d:
            d.look("10.0.0.3", others=("10.0.0.4",))
            await d.probe.until(1)
            await d.checks.close()
            assert [endpoint.dial for endpoint in d.probe.ended] == ["10.0.0.3"]

    async def test_afterwards_it_may_be_used_again(self) -> None:
        async with desk(None) as d:
            d.look(*crowd(2 * UNKNOWN_AT_ONCE), known=False)
            await d.probe.until(1)
            await d.checks.close()
            d.probe.let_go(None)
            d.look(*crowd(2 * UNKNOWN_AT_ONCE), known=False)
            await d.done()
        assert len(d.found) == 2 * UNKNOWN_AT_ONCE

    async def test_closing_what_never_ran(self) -> None:
        async with desk() as d:
            await d.checks.close()


async def test_some_need_not_be_waited_for() -> None:
    async with desk(BOX) as d:
        d.look(BOX, "10.0.0.3")
        async with asyncio.timeout(LIMIT_S):
            await d.checks.done(lambda: {at(BOX).key})
            await d.checks.over(at("10.0.0.3").key)
        assert d.found == ["10.0.0.3"]
        ending = asyncio.create_task(d.checks.over(at(BOX).key))
        d.probe.let_go(BOX)
        async with asyncio.timeout(LIMIT_S):
            await ending
        assert BOX in d.found
