"""Which addresses of this machine may be told, and when its network has changed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from ipaddress import ip_interface
from pathlib import Path

import pytest

from announcers import network
from announcers.network import NetworkWatch, announceable, state
from hybridisco import NetworkInterface

LO = NetworkInterface("lo", 1, (ip_interface("127.0.0.1/8"), ip_interface("::1/128")))
ETH0 = NetworkInterface(
    "eth0", 2, (ip_interface("10.77.0.1/24"), ip_interface("fd77::1/64"), ip_interface("fe80::1/64"))
)
ETH1 = NetworkInterface("eth1", 3, (ip_interface("fd77::1/64"),))  # the same address, on another link
DOCKER = NetworkInterface("docker0", 4, (ip_interface("172.17.0.1/16"),))

FD77_1, FE80_1 = "fd770000000000000000000000000001", "fe800000000000000000000000000001"
GOOD_LINE = f"{FE80_1} 02 40 20 80     eth0"


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A machine with two cards and a switch for containers; returns the kernel's list of IPv6 addresses."""
    every = (LO, ETH0, ETH1, DOCKER)
    lan = {(): (ETH0, ETH1), ("eth0",): (ETH0,), ("docker0",): (DOCKER,)}
    monkeypatch.setattr(network, "network_interfaces", lambda: every)
    monkeypatch.setattr(network, "lan_interfaces", lambda only=(): lan[only])
    monkeypatch.setattr(network, "_IF_INET6", tmp_path / "if_inet6")
    network._announceable.cache_clear()
    yield tmp_path / "if_inet6"
    network._announceable.cache_clear()


def told(*only: str, bridges: bool = False, temporary: bool = False) -> dict[str, list[str]]:
    links = announceable(only, bridges=bridges, temporary=temporary)
    return {link.name: [str(address.ip) for address in link.addresses] for link in links}


ALL = {"eth0": ["10.77.0.1", "fd77::1", "fe80::1"], "eth1": ["fd77::1"]}
WITHOUT = {"eth0": ["10.77.0.1", "fe80::1"], "eth1": ["fd77::1"]}


@pytest.mark.parametrize(
    ("flags", "temporary", "expected"),
    [
        ("80", False, ALL),  # permanent
        ("00", False, ALL),  # by a router's announcement
        ("01", False, WITHOUT),  # temporary (RFC 8981)
        ("01", True, ALL),
        ("08", True, WITHOUT),  # another machine has it
        ("20", True, WITHOUT),  # deprecated: for old connections only
        ("21", True, WITHOUT),  # temporary and deprecated
        ("40", True, WITHOUT),  # tentative: not known yet to be free
        ("c0", False, WITHOUT),  # permanent, and tentative still
    ],
)
def test_an_address_that_is_unfit_is_not_told(
    machine: Path, flags: str, temporary: bool, expected: dict[str, list[str]]
) -> None:
    machine.write_text(f"{FD77_1} 02 40 00 {flags}     eth0\n{GOOD_LINE}\n")
    assert told(temporary=temporary) == expected


def test_a_link_that_has_no_fit_address_is_left_out(machine: Path) -> None:
    machine.write_text(f"{FD77_1} 03 40 00 40     eth1\n")
    assert told() == {"eth0": ALL["eth0"]}


@pytest.mark.parametrize("text", [None, "", "nonsense\n", "zz 02 40 00 40 eth0\n", "a b c d e f g h\n"])
def test_where_nobody_tells_every_address_is_told(machine: Path, text: str | None) -> None:
    if text is not None:
        machine.write_text(text)
    assert told() == ALL


def test_switches_for_containers_are_told_when_asked_for() -> None:
    assert "docker0" not in told()
    assert set(told(bridges=True)) == {"eth0", "eth1", "docker0"}
    assert set(told("docker0")) == {"docker0"}
    assert set(told("eth0", bridges=True)) == {"eth0"}, "a link that is named goes before"


def test_a_cable_that_is_pulled_makes_another_state(monkeypatch: pytest.MonkeyPatch) -> None:
    before = state((ETH0,))
    assert before == state((ETH0,))
    monkeypatch.setattr(network, "_carrier", lambda name: "lowerlayerdown")
    assert state((ETH0,)) != before


def test_an_interface_that_has_gone_meanwhile_has_no_carrier() -> None:
    assert state((NetworkInterface("gone0", 99, ()),))[0][1] == ""


class Clocks:
    """The wall clock, and the one that counts only while the machine is awake."""

    def __init__(self) -> None:
        self.wall, self.monotonic = 1_700_000_000.0, 500.0

    def __call__(self) -> tuple[float, float]:
        return self.wall, self.monotonic

    def pass_by(self, seconds: float, *, asleep_s: float = 0.0, set_by_s: float = 0.0) -> None:
        self.monotonic += seconds
        self.wall += seconds + asleep_s + set_by_s


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing changes here; the poll is what returns."""
    monkeypatch.setattr(network, "POLL_S", 0.001)
    monkeypatch.setattr(network, "SETTLE_S", 0.0)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("passes", "slept"),
    [
        ({"seconds": 2.0}, False),
        ({"seconds": 86_400.0}, False),
        ({"seconds": 2.0, "asleep_s": 3600.0}, True),
        ({"seconds": 2.0, "asleep_s": 5.5}, True),
        ({"seconds": 2.0, "set_by_s": -3600.0}, False),
        ({"seconds": 2.0, "set_by_s": 1.5}, False),  # NTP corrects a little
    ],
)
async def test_a_machine_that_slept_is_noticed_and_one_whose_clock_was_set_back_is_not(
    passes: dict[str, float], slept: bool
) -> None:
    clocks = Clocks()
    watch = NetworkWatch(clocks)
    clocks.pass_by(**passes)
    assert await watch.stirred() is slept
    clocks.pass_by(2.0)
    assert await watch.stirred() is False, "it is told once"


@pytest.mark.usefixtures("quick")
async def test_a_sleep_after_the_clock_was_set_back_is_noticed() -> None:
    clocks = Clocks()
    watch = NetworkWatch(clocks)
    clocks.pass_by(2.0, set_by_s=-3600.0)
    assert not await watch.stirred()
    clocks.pass_by(2.0, asleep_s=60.0)
    assert await watch.stirred()


async def stir() -> None:
    await NetworkWatch().stirred()


@pytest.mark.usefixtures("quick")
def test_addresses_are_read_anew_when_something_stirred(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_FRESH_S", 1e9)  # what was read stays true, but for a change
    assert told() == ALL
    machine.write_text(f"{FD77_1} 02 40 00 40     eth0\n")
    assert told() == ALL
    asyncio.run(stir())
    assert told() == WITHOUT


@pytest.mark.usefixtures("quick")
async def test_where_the_kernel_may_not_be_asked_the_poll_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr(network.socket, "socket", refuse)  # stands for a sandbox
        watch = NetworkWatch().__enter__()
    try:
        assert await watch.stirred() is False
    finally:
        watch.__exit__()


async def test_what_the_kernel_tells_is_heard_before_the_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "POLL_S", 3600.0)
    monkeypatch.setattr(network, "SETTLE_S", 0.0)
    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with kernel:
        with monkeypatch.context() as patched:
            patched.setattr(network, "socket", FakeNetlink(ours))
            watch = NetworkWatch().__enter__()
        try:
            kernel.send(b"RTM_NEWADDR")
            kernel.send(b"RTM_DELADDR")
            async with asyncio.timeout(5.0):
                await watch.stirred()
            waiting = asyncio.create_task(watch.stirred())
            await asyncio.sleep(0)
            assert not waiting.done(), "both messages were taken at once"
            kernel.send(b"RTM_NEWLINK")
            async with asyncio.timeout(5.0):
                await waiting
        finally:
            watch.__exit__()
    assert ours.fileno() == -1, "it is closed"


class FakeNetlink:
    """The module ``socket``, with a kernel that the test plays. A real one is in tests/e2e/test_moving.py."""

    AF_NETLINK, SOCK_RAW, NETLINK_ROUTE = 16, 3, 0

    def __init__(self, ours: socket.socket) -> None:
        self._ours = ours

    def socket(self, *_: int) -> FakeNetlink:
        return self

    def bind(self, address: tuple[int, int]) -> None:
        assert address[1], "no group is listened to"

    def __getattr__(self, name: str) -> object:
        return getattr(self._ours, name)
