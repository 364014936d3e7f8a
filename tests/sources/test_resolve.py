"""Host names to addresses: what is never looked up, and that no name takes for ever."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
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


HANGING = """
import asyncio, socket, threading, time
from hybridisco.sources import resolve as module

module._LIMIT_S = 0.2
never = threading.Event()
socket.getaddrinfo = lambda *_, **__: never.wait()  # stands for a name server that is silent

async def main():
    return await asyncio.gather(*(module.resolve(f"gpu-{n}") for n in range(30)))

started = time.monotonic()
assert asyncio.run(main()) == [()] * 30
print(time.monotonic() - started, threading.active_count())
"""


def test_a_resolver_that_hangs_is_given_up_and_holds_nobody() -> None:
    run = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=15, check=True)
    took_s, threads = run.stdout.split()
    assert float(took_s) < 3.0
    assert int(threads) <= 1 + module._THREAD_LIMIT


async def test_names_beyond_the_number_of_threads_are_looked_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_THREAD_LIMIT", 2)
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda name, *_, **__: [(0, 0, 0, "", (f"10.0.0.{name.removeprefix('n')}", 0))]
    )
    found = await asyncio.gather(*(resolve(f"n{n}") for n in range(20)))
    assert found == [((f"10.0.0.{n}", None),) for n in range(20)]


async def test_an_address_takes_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_THREAD_LIMIT", 0)
    assert await resolve("fe80::1", "lo") == (("fe80::1", "lo"),)
    assert await resolve("fe80::1", "nonsense0") == ()


async def test_a_name_with_very_many_addresses_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    def many(*_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"10.0.0.{n}", 0)) for n in range(100)]

    monkeypatch.setattr(socket, "getaddrinfo", many)
    assert 1 <= len(await resolve("gpu-box")) <= 8
