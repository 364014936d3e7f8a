"""The port at which clients notice that a sidecar has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from announcers import presence as module
from announcers.presence import Presence
from hybridisco import LIVE_GREETING

LIMIT_S = 5.0


@pytest.fixture
async def presence() -> AsyncIterator[Presence]:
    opened = Presence()
    await opened.open()
    yield opened
    await opened.close()


async def until(wanted: Callable[[], bool]) -> None:
    """Wait, by looking: a socket that closes is no event of ours."""
    async with asyncio.timeout(LIMIT_S):
        while not wanted():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def greeted(presence: Presence, host: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(host, presence.port)
    async with asyncio.timeout(LIMIT_S):
        assert await reader.readexactly(len(LIVE_GREETING)) == LIVE_GREETING
    return reader, writer


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_who_connects_is_greeted_and_held_until_it_ends(presence: Presence, host: str) -> None:
    reader, writer = await greeted(presence, host)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")  # nobody listens
    ended = asyncio.create_task(reader.read())
    await asyncio.sleep(0)
    assert not ended.done()
    await presence.close()
    async with asyncio.timeout(LIMIT_S):
        with suppress(ConnectionResetError):
            assert await ended == b""
    writer.close()
    assert presence.port is None


async def test_one_address_cannot_take_all_the_places(presence: Presence, monkeypatch: pytest.MonkeyPatch) -> None:
    held = [await greeted(presence) for _ in range(module._OF_ONE)]
    reader, writer = await asyncio.open_connection("127.0.0.1", presence.port)
    async with asyncio.timeout(LIMIT_S):
        assert await reader.read() == b"", "it is sent away"
    writer.close()
    other = await greeted(presence, "::1")
    for _, each in (*held, other):
        each.close()
    await until(lambda: not presence._open)
    _, again = await greeted(presence)  # whoever has gone makes room
    again.close()


async def test_opening_twice_is_opening_once(presence: Presence) -> None:
    port = presence.port
    await presence.open()
    assert presence.port == port
