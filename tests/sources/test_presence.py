"""Noticing that a sidecar has ended: by a connection that breaks, and only of who greets as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from hybridisco.core.model import Endpoint
from hybridisco.core.txt import LIVE_GREETING
from hybridisco.sources import presence as module
from hybridisco.sources.presence import Presence

LIMIT_S = 5.0
HERE = (Endpoint("127.0.0.1", 8188),)
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Sidecar:
    """What a client sees of one: a port that greets, and can end and come back."""

    def __init__(self, greeting: bytes = LIVE_GREETING) -> None:
        self.greeting = greeting
        self.port = 0
        self.connections = 0
        self.hangs_up = False
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def left(self) -> bool:
        """Whether nobody holds a connection."""
        return all(writer.is_closing() for writer in self._writers)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._hold, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def end(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        self._writers.clear()
        await asyncio.sleep(0)

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        writer.write(self.greeting)
        if not self.hangs_up:
            await reader.read()
        writer.close()


async def until(wanted: Callable[[], bool]) -> None:
    """Wait, by looking: a socket that closes is no event of ours."""
    async with asyncio.timeout(LIMIT_S):
        while not wanted():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Reports:
    """What was reported, in order."""

    def __init__(self) -> None:
        self.all: list[tuple[str, bool]] = []
        self._stirred = asyncio.Event()

    def __call__(self, ref: str, attended: bool) -> None:
        self.all.append((ref, attended))
        self._stirred.set()

    async def until(self, *wanted: tuple[str, bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not set(wanted) <= set(self.all):
                self._stirred.clear()
                await self._stirred.wait()


@asynccontextmanager
async def watching(reports: Reports) -> AsyncIterator[Presence]:
    presence = Presence(reports)
    try:
        yield presence
    finally:
        await presence.close()


@pytest.fixture
async def sidecar() -> AsyncIterator[Sidecar]:
    made = Sidecar()
    await made.start()
    yield made
    await made.end()


async def test_the_end_of_a_sidecar_is_told_of_all_that_it_announced(sidecar: Sidecar) -> None:
    reports = Reports()
    async with watching(reports) as presence:
        for ref in ("comfyui", "rvc"):
            assert not presence.follow(ref, HERE, sidecar.port, anew=True), "it is not known yet"
        await reports.until(("comfyui", True), ("rvc", True))
        assert sidecar.connections == 1, "one connection for all"
        assert presence.follow("comfyui", HERE, sidecar.port, anew=True)
        await sidecar.end()
        await reports.until(("comfyui", False), ("rvc", False))


async def test_one_that_comes_back_is_told(sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AGAIN_S", (0.01,) * 100)
    reports = Reports()
    async with watching(reports) as presence:
        presence.follow("x", HERE, sidecar.port, anew=True)
        await reports.until(("x", True))
        await sidecar.end()
        await reports.until(("x", False))
        del reports.all[:]
        await sidecar.start()
        await reports.until(("x", True))


async def test_a_connection_that_only_broke_is_no_end(sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    """A switch was restarted, say."""
    monkeypatch.setattr(module, "_STEADY_S", 0.0)
    monkeypatch.setattr(module, "_AGAIN_S", (0.01,) * 5)
    reports = Reports()
    async with watching(reports) as presence:
        presence.follow("x", HERE, sidecar.port, anew=True)
        await reports.until(("x", True))
        for writer in sidecar._writers:
            writer.close()
        await until(lambda: sidecar.connections == 2)
        assert reports.all == [("x", True)]


@pytest.mark.parametrize("greeting", [b"", b"220 printer ready\r\n...", LIVE_GREETING[:-1] + b"X", b"x" * 100])
async def test_who_does_not_greet_as_a_sidecar_is_left_alone(greeting: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """An announcement may name anybody's port; nothing is held there, and nothing is said of the announcer."""
    monkeypatch.setattr(module, "_GREETING_S", 0.1)
    monkeypatch.setattr(module, "_AGAIN_S", ())
    stranger = Sidecar(greeting)
    await stranger.start()
    reports = Reports()
    async with watching(reports) as presence:
        presence.follow("x", HERE, stranger.port, anew=True)
        await until(lambda: stranger.connections > 0 and stranger.left)
    assert (stranger.connections, reports.all) == (1, [])
    await stranger.end()


async def test_what_nobody_follows_any_more_is_let_go(sidecar: Sidecar) -> None:
    reports = Reports()
    async with watching(reports) as presence:
        presence.follow("x", HERE, sidecar.port, anew=True)
        await reports.until(("x", True))
        presence.leave("x")
        await until(lambda: sidecar.left)
        assert not presence.follow("x", HERE, None, anew=True), "it names no port"


async def test_only_so_many_are_held(sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SIDECAR_LIMIT", 1)
    reports = Reports()
    async with watching(reports) as presence:
        presence.follow("x", HERE, sidecar.port, anew=True)
        presence.follow("y", HERE, sidecar.port + 1, anew=True)
        await reports.until(("x", True))
        assert len(presence._watched) == 1


async def test_a_sidecar_that_has_no_place_left_is_not_gone(sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts, and hangs up without a greeting: somebody is there, but whether it is there for long is not known."""
    monkeypatch.setattr(module, "_AGAIN_S", (0.01,) * 5)
    said: list[bool | None] = []
    unknown = asyncio.Event()

    def report(ref: str, attended: bool | None) -> None:
        said.append(attended)
        if attended is None:
            unknown.set()

    presence = Presence(report)
    try:
        presence.follow("x", HERE, sidecar.port, anew=True)
        await until(lambda: said == [True])
        sidecar.greeting = b""
        sidecar.hangs_up = True
        for writer in sidecar._writers:
            writer.close()
        async with asyncio.timeout(LIMIT_S):
            await unknown.wait()
        assert False not in said
    finally:
        await presence.close()
