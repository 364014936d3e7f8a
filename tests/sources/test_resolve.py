"""Host names to addresses: what is never looked up, and that no name takes for ever."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import pytest

from hybridisco.sources import resolve as module
from hybridisco.sources.resolve import resolve


async def test_localhost_is_both_loopback_addresses() -> None:
    assert await resolve("localhost") == (("127.0.0.1", None), ("::1", None))


@pytest.mark.parametrize("literal", ["127.0.0.1", "10.77.0.1", "::1", "fd77::1"])
async def test_an_address_is_itself(literal: str) -> None:
    assert await resolve(literal) == ((literal, None),)


async def test_a_link_local_address_keeps_its_zone() -> None:
    assert await resolve("fe80::1", "lo") == (("fe80::1", "lo"),)
    assert await resolve(f"fe80::1%{socket.if_nametoindex('lo')}") == (("fe80::1", "lo"),)
    assert await resolve("fe80::1", "nonsense0") == ()


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a" * 70, "..", "x" * 300, "bad\0name", ""])
async def test_an_unknown_name_has_no_address(name: str) -> None:
    started = time.monotonic()
    found = await resolve(name)
    assert found == () or name == ""
    assert time.monotonic() - started < 3.0


async def test_a_resolver_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", hang)  # stands for a resolver that is down
    monkeypatch.setattr(module, "_LIMIT_S", 0.05)
    assert await resolve("gpu-box") == ()


async def test_a_name_with_very_many_addresses_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    async def many(*_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"10.0.0.{n}", 0)) for n in range(100)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", many)
    assert 1 <= len(await resolve("gpu-box")) <= 8
