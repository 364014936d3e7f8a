"""Knocking: every port that listens is found, by few sockets, and those are connected."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from hybridisco.sources import knock as module
from hybridisco.sources.knock import LOOPBACK, Knocked, Target, hang_up, knock

KEPT = 32


@contextmanager
def knocked(targets: list[Target]) -> Iterator[Knocked]:
    found = knock(targets)
    try:
        yield found
    finally:
        hang_up(found[0].values())


def listener(stack: ExitStack, host: str) -> Target:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = stack.enter_context(socket.create_server((host, 0), family=family))
    return host, int(server.getsockname()[1])


def closed(host: str) -> Target:
    with ExitStack() as stack:
        return listener(stack, host)


class Stubborn(socket.socket):
    """A socket of a system on which one that was refused is of no use any more."""

    refused = False

    def connect_ex(self, address: object) -> int:
        if self.refused:
            return errno.ECONNREFUSED
        answer = super().connect_ex(address)  # type: ignore[arg-type]
        self.refused = answer == errno.ECONNREFUSED
        return answer


@pytest.mark.parametrize("system", ["this", "another", "one that claims to be this"])
def test_those_that_listen_are_told_from_those_that_do_not(monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    monkeypatch.setattr(module, "_CONNECTS_AGAIN", system != "another" and module._CONNECTS_AGAIN)
    if system == "one that claims to be this":
        monkeypatch.setattr(module.socket, "socket", Stubborn)  # there is no fake of a kernel
    with ExitStack() as stack:
        targets = []
        for host in (*LOOPBACK, *LOOPBACK):
            targets += [closed(host), listener(stack, host), closed(host), closed(host), listener(stack, host)]
        listening = [target for number, target in enumerate(targets) if number % 5 in (1, 4)]
        found, later = stack.enter_context(knocked(targets))
        assert (list(found), later) == (listening, [])
        for target, sock in found.items():
            assert sock is not None
            assert sock.getpeername()[:2] == target
            assert sock.gettimeout() == 0.0


def test_few_sockets_are_kept_however_many_listen() -> None:
    with ExitStack() as stack:
        targets = [listener(stack, LOOPBACK[0]) for _ in range(KEPT + 8)]
        found, _ = stack.enter_context(knocked(targets))
        assert list(found) == targets
        assert [sock is not None for sock in found.values()] == [True] * KEPT + [False] * 8


def test_what_cannot_be_told_now_is_left_to_who_waits() -> None:
    targets = [("::1%nonsense0", 80), ("no address", 80)]
    assert knock(targets) == ({}, targets)


def test_it_can_be_done_before_anything_heavy_is_imported() -> None:
    names = "import sys; before = {*sys.modules}; import hybridisco.sources.knock; print(*sys.modules.keys() - before)"
    loaded = subprocess.run([sys.executable, "-c", names], capture_output=True, text=True, check=True).stdout.split()
    assert "hybridisco.sources.knock" in loaded
    assert not {"asyncio", "logging", "typing", "dataclasses", "ssl"} & set(loaded)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_where_descriptors_are_few_those_who_go_on_get_most_of_them() -> None:
    code = (
        "import resource, socket\n"
        "from hybridisco.sources.knock import knock\n"
        "servers = [socket.create_server(('127.0.0.1', 0)) for _ in range(24)]\n"
        "_, high = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (40, high))\n"
        "found, later = knock([server.getsockname() for server in servers])\n"
        "print(len(found), len(later), sum(sock is not None for sock in found.values()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["24", "0", "5"]
