"""sd_notify: what arrives at the socket that systemd would listen on."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from announcers.service import notify

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="systemd's sockets are Unix sockets")


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def test_each_function_says_its_word(manager: socket.socket) -> None:
    notify.ready("3 backends")
    notify.status("2\nbackends ")
    notify.watchdog()
    notify.stopping()
    said = [manager.recv(1000).decode() for _ in range(4)]
    assert said == ["READY=1\nSTATUS=3 backends", "STATUS=2 backends", "WATCHDOG=1", "STOPPING=1"]


def test_a_reload_is_told_with_its_time(manager: socket.socket) -> None:
    notify.reloading()
    first, second = manager.recv(1000).decode().split("\n")
    assert first == "RELOADING=1"
    assert int(second.removeprefix("MONOTONIC_USEC=")) > 0


def test_an_empty_status_is_no_message(manager: socket.socket) -> None:
    notify.status("  ")
    notify.watchdog()
    assert manager.recv(1000) == b"WATCHDOG=1"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has abstract sockets")
def test_an_abstract_socket_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0hybridisco-test-{os.getpid()}")
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@hybridisco-test-{os.getpid()}")
        notify.ready()
        assert listener.recv(1000) == b"READY=1"


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:9999", "/no/such/socket"])
def test_without_a_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify.ready()


def test_a_manager_that_does_not_read_stops_nobody(manager: socket.socket) -> None:
    for _ in range(5000):  # more than any queue of datagrams holds
        notify.watchdog()


@pytest.mark.parametrize(
    ("limit_us", "pid", "interval_s"),
    [
        (None, None, None),
        ("60000000", None, 30.0),
        ("60000000", "ours", 30.0),
        ("60000000", "1", None),  # our parent is watched, not we
        ("0", None, None),
        ("soon", None, None),
        ("60000000", "x", None),
    ],
)
def test_the_watchdog_is_fed_at_half_of_its_time(
    monkeypatch: pytest.MonkeyPatch, limit_us: str | None, pid: str | None, interval_s: float | None
) -> None:
    if limit_us is not None:
        monkeypatch.setenv("WATCHDOG_USEC", limit_us)
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "ours" else pid)
    assert notify.watchdog_interval_s() == interval_s
