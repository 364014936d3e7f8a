"""Which backends of this machine are looked for, where, and what is done about those that are found."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from ipaddress import ip_address, ip_interface
from pathlib import Path

import pytest

from announcers import finder
from announcers.assignment import Assignment
from announcers.finder import Finder, Plan, own_hosts
from hybridisco import Announcement, Endpoint, NetworkInterface, Probe, SourceName, Withdrawal
from hybridisco.kinds import BUILTIN
from hybridisco.testing import MockBackend

KINDS = {kind.id: kind for kind in BUILTIN}
LISTEN, ESTABLISHED = "0A", "01"


def packed(address: str) -> str:
    """Return an address as the kernel prints it: words of 32 bits, each in this machine's own order of bytes."""
    octets = ip_address(address).packed
    words = (octets[i : i + 4] for i in range(0, len(octets), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)


class Kernel:
    """The kernel's lists of sockets (proc(5))."""

    def __init__(self, folder: Path) -> None:
        self.four, self.six = folder / "tcp", folder / "tcp6"
        self.say()

    def say(self, *sockets: tuple[str, str]) -> None:
        """Say which addresses sockets are bound to, with their states."""
        for file, version in ((self.four, 4), (self.six, 6)):
            lines = [
                f"   {number}: {packed(address)}:1FFC {packed(address)}:0000 {state} 00000000:00000000 00:00000000"
                for number, (address, state) in enumerate(sockets)
                if ip_address(address).version == version
            ]
            file.write_text("\n".join(["  sl  local_address rem_address   st tx_queue rx_queue tr tm->when", *lines]))


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """A machine with one card and three addresses on it."""
    made = Kernel(tmp_path)
    lo = NetworkInterface("lo", 1, (ip_interface("127.0.0.1/8"), ip_interface("::1/128")))
    addresses = ("10.77.0.1/24", "10.77.0.2/24", "fd77::1/64", "fe80::1/64")
    eth0 = NetworkInterface("eth0", 2, tuple(ip_interface(address) for address in addresses))
    monkeypatch.setattr(finder, "network_interfaces", lambda: (lo, eth0))
    monkeypatch.setattr(finder, "_TCP", (made.four, made.six))
    return made


@pytest.mark.parametrize(
    ("sockets", "also"),
    [
        ((), ()),
        ((("0.0.0.0", LISTEN), ("::", LISTEN)), ()),  # localhost leads there
        ((("10.77.0.1", LISTEN),), ("10.77.0.1",)),
        ((("10.77.0.1", ESTABLISHED),), ()),  # no server
        ((("1.0.77.10", LISTEN),), ()),  # 10.77.0.1 in the other order of bytes
        ((("fd77::1", LISTEN),), ("fd77::1",)),
        ((("::ffff:10.77.0.2", LISTEN),), ("10.77.0.2",)),  # a socket for both families, as Java makes them
        ((("127.0.0.1", LISTEN), ("fe80::1", LISTEN)), ()),
        ((("192.0.2.7", LISTEN),), ()),  # of an interface that has just gone
        ((("10.77.0.2", LISTEN), ("10.77.0.1", LISTEN), ("fd77::1", LISTEN)), ("10.77.0.1", "10.77.0.2", "fd77::1")),
    ],
)
def test_where_to_look(kernel: Kernel, sockets: tuple[tuple[str, str], ...], also: tuple[str, ...]) -> None:
    kernel.say(*sockets)
    assert own_hosts() == ("localhost", *also)


def test_where_the_system_does_not_tell_every_address_is_looked_at(kernel: Kernel) -> None:
    kernel.four.unlink()
    assert own_hosts() == ("localhost", "10.77.0.1", "10.77.0.2", "fd77::1")


def test_a_plan_takes_the_kinds_that_are_announced_unless_it_names_some() -> None:
    silent = replace(KINDS["rvc"], announced=False)
    plan = Plan((KINDS["comfyui"], silent))
    assert plan.job("comfyui", 8188, tls=False, path="/") == Assignment(KINDS["comfyui"], 8188)
    assert plan.job("rvc", 7865, tls=False, path="/") is None
    assert plan.job("litellm", 4000, tls=False, path="/") is None
    assert plan.job(None, 4000, tls=False, path="/") is None
    named = replace(plan, only=("rvc",))
    assert named.job("rvc", 7865, tls=False, path="/") == Assignment(silent, 7865)
    assert named.job("comfyui", 8188, tls=False, path="/") is None


def test_a_name_for_a_port_goes_before_that_of_a_kind() -> None:
    names = (("comfyui", None, "Pictures"), ("comfyui", 8189, "Films"), ("rvc", 8190, "Voices"))
    plan = Plan(BUILTIN, names=names)
    jobs = [plan.job("comfyui", port, tls=False, path="/") for port in (8188, 8189, 8190)]
    assert [job.name for job in jobs if job] == ["Pictures", "Films", "Pictures"]


def test_what_was_asked_for_reaches_the_assignment() -> None:
    plan = Plan(BUILTIN, bind=("10.77.0.1",), interfaces=("eth0",), bridges=True, temporary=True)
    job = plan.job("comfyui", 8443, tls=True, path="/pictures")
    expected = Assignment(KINDS["comfyui"], 8443, None, "/pictures", True, ("10.77.0.1",), ("eth0",), True, True)
    assert job == expected


class Probes:
    """Gives one probe, and closes it."""

    def __init__(self) -> None:
        self.probe = Probe(BUILTIN)

    async def __call__(self) -> Probe:
        return self.probe


def test_only_what_is_to_be_announced_is_told() -> None:
    found: list[Assignment] = []
    seeker = Finder(Plan(BUILTIN), Probes(), found.append, lambda port: False, 10.0)
    place = (Endpoint("127.0.0.1", 8443, True, "/x"),)
    seeker.emit(Announcement(SourceName.PROBE, "a", place, kind="comfyui"))
    seeker.emit(Announcement(SourceName.PROBE, "b", place, kind=None))
    seeker.emit(Withdrawal(SourceName.PROBE, "a"))
    assert found == [Assignment(KINDS["comfyui"], 8443, path="/x", tls=True)]


async def test_a_backend_is_found_and_then_left_to_who_looks_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "own_hosts", lambda: ("127.0.0.1",))
    found: asyncio.Queue[Assignment] = asyncio.Queue()
    tended: set[int] = set()
    asked = asyncio.Event()

    def tends(port: int) -> bool:
        asked.set()
        return port in tended

    probes = Probes()
    async with MockBackend("comfyui", host="127.0.0.1", port=0) as backend:
        comfyui = replace(KINDS["comfyui"], ports=(backend.port,))
        seeker = Finder(Plan((comfyui,)), probes, found.put_nowait, tends, 0.01)
        running = asyncio.create_task(seeker.run())
        async with asyncio.timeout(10.0):
            job = await found.get()
            assert (job.kind.id, job.port) == ("comfyui", backend.port)
            await seeker.settled.wait()
            await found.get()  # found again by the next sweep, since nobody looks after it
            tended.add(backend.port)
            for _ in range(2):  # the sweep that runs now may have begun before
                asked.clear()
                await asked.wait()
            while not found.empty():
                found.get_nowait()
            calls = len(backend.calls)
            for _ in range(3):
                asked.clear()
                await asked.wait()
            assert (found.qsize(), len(backend.calls)) == (0, calls), "it is not asked any more"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await probes.probe.close()


async def test_a_server_that_binds_to_one_address_later_is_looked_for_there(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = [("127.0.0.2",)]
    monkeypatch.setattr(finder, "own_hosts", lambda: hosts[0])
    monkeypatch.setattr(finder, "_HOSTS_EVERY_S", 0.01)
    found: asyncio.Queue[Assignment] = asyncio.Queue()
    probes = Probes()
    async with MockBackend("comfyui", host="127.0.0.1", port=0) as backend:
        comfyui = replace(KINDS["comfyui"], ports=(backend.port,))
        seeker = Finder(Plan((comfyui,)), probes, found.put_nowait, lambda port: False, 3600.0)
        running = asyncio.create_task(seeker.run())
        async with asyncio.timeout(10.0):
            await seeker.settled.wait()
            assert found.empty()
            hosts[0] = ("127.0.0.2", "127.0.0.1")
            await found.get()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await probes.probe.close()
