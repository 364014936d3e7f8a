"""Host names to addresses: what is never looked up, and that no name takes for ever."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hybridisco.sources import resolve as module
from hybridisco.sources.resolve import is_refused, resolve


@pytest.fixture(autouse=True)
def nothing_refused() -> Iterator[None]:
    """What one test's name server said is no other test's matter, also not what it said in a test of another file."""
    module._refused.clear()
    yield
    module._refused.clear()


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


def told(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name lead to these addresses."""

    def look_up(host: Any, port: Any, *_: Any, **__: Any) -> Any:
        return [(0, 0, 0, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.0.1.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "224.0.0.1", "ff02::1%1", "255.255.255.255",
     "169.254.169.254", "::ffff:169.254.169.254", "169.254.170.2", "fd00:ec2::254"],
)  # fmt: skip
async def test_a_name_leads_to_other_machines_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    told(monkeypatch, address)
    for _ in range(2):
        assert await resolve("gpu-box") == ()
        assert is_refused("gpu-box")
    assert caplog.text.count("gpu-box leads to") == 1, "it is told once"
    told(monkeypatch, address, "10.0.0.5")
    assert await resolve("gpu-box") == (("10.0.0.5", None),)
    assert not is_refused("gpu-box")
    told(monkeypatch)
    assert await resolve("gpu-box") == ()
    assert not is_refused("gpu-box"), "it is not known, which is something else"


@pytest.mark.parametrize("address", ["10.0.0.5", "192.168.1.2", "100.64.0.1", "169.254.7.9", "fd77::1", "8.8.8.8"])
async def test_a_box_at_the_end_of_a_cable_and_any_other_is_fine(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    told(monkeypatch, address)
    assert await resolve("gpu-box.local") == ((address, None),)


@pytest.mark.parametrize("name", ["DESK", "desk", "desk.lan", "desk.local", "api.localhost", "comfy.home", "desk.lan."])
async def test_this_machines_own_names_lead_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(
        "127.0.0.1 localhost\n127.0.1.1\tdesk.lan desk # me\n\nnonsense x\n::1 comfy.home\n0.0.0.0 ads.example\n"
    )
    monkeypatch.setattr(module, "_hosts_file", lambda: hosts)
    monkeypatch.setattr(socket, "gethostname", lambda: "Desk")
    told(monkeypatch, "127.0.1.1", "169.254.169.254", "0.0.0.0")
    assert await resolve(name) == (("127.0.1.1", None),), "and still nowhere else"
    for other in ("gpu-box", "desk.attacker.example", "ads.example", "localhost.attacker.example"):
        assert await resolve(other) == ()
    hosts.unlink()
    assert await resolve("gpu-box") == ()


async def test_what_is_refused_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, "127.0.0.1")
    for number in range(module._REFUSED_LIMIT + 20):
        await resolve(f"n{number}")
    assert len(module._refused) == module._REFUSED_LIMIT
