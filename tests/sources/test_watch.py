"""When it is worth a look at the network, and when this machine has slept."""

from __future__ import annotations

import asyncio
import socket

import pytest

from hybridisco.sources import watch as module
from hybridisco.sources.watch import NetworkWatch


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
    monkeypatch.setattr(module, "POLL_S", 0.001)


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
    watch = NetworkWatch(clocks, settle_s=0.0)
    clocks.pass_by(**passes)
    assert await watch.stirred() is slept
    clocks.pass_by(2.0)
    assert await watch.stirred() is False, "it is told once"


@pytest.mark.usefixtures("quick")
async def test_a_sleep_after_the_clock_was_set_back_is_noticed() -> None:
    clocks = Clocks()
    watch = NetworkWatch(clocks, settle_s=0.0)
    clocks.pass_by(2.0, set_by_s=-3600.0)
    assert not await watch.stirred()
    clocks.pass_by(2.0, asleep_s=60.0)
    assert await watch.stirred()


@pytest.mark.usefixtures("quick")
async def test_where_the_kernel_may_not_be_asked_the_poll_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr(module.socket, "socket", refuse)  # stands for a sandbox
        watch = NetworkWatch(settle_s=0.0).__enter__()
    try:
        assert await watch.stirred() is False
    finally:
        watch.__exit__()


async def test_what_the_kernel_tells_is_heard_before_the_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_S", 3600.0)
    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with kernel:
        with monkeypatch.context() as patched:
            patched.setattr(module, "socket", FakeNetlink(ours))
            watch = NetworkWatch(settle_s=0.0).__enter__()
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
