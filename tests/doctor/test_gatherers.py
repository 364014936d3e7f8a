"""The gatherers on this machine, which has nothing but loopback, and what they read in the kernel's tables."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import closing
from pathlib import Path

import pytest

from hybridisco.config import Config, ManualEntry
from hybridisco.core import target
from hybridisco.core.model import Snapshot, Status, Trust
from hybridisco.doctor import hosts, links, machine, packets, port, services
from hybridisco.doctor.examine import examine
from hybridisco.doctor.facts import HostFacts, Reply, Tcp, UntrustedService
from hybridisco.doctor.firewall import read
from hybridisco.doctor.report import Result
from hybridisco.manager import ServiceDiscoveryManager
from tests.doctor.world import LAN, LO
from tests.formats.samples import service, snapshot

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux' tables")

UDP = """\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  101: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000   104        0 24271 2 0000000000000000 0
  102: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 24272 2 0000000000000000 0
  103: 02004D0A:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 24273 2 0000000000000000 0
"""
UDP6 = """\
  sl  local_address                         remote_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode
  1: 000080FE00000000FF0000FF020000FE:14E9 00000000000000000000000000000000:0000 07 0:0 00:0 0 0 0 24274 2 0 0
"""
ARP = """\
IP address       HW type     Flags       HW address            Mask     Device
10.77.0.1        0x1         0x2         02:00:00:00:00:01     *        eth0
10.77.0.9        0x1         0x0         00:00:00:00:00:00     *        eth0
"""


@linux
@pytest.mark.skipif(sys.byteorder != "little", reason="the samples are from a little-endian machine")
def test_who_has_the_port() -> None:
    assert list(port.holders_in(UDP, "ipv4")) == [("24271", "0.0.0.0"), ("24273", "10.77.0.2")]
    assert list(port.holders_in(UDP6, "ipv6")) == [("24274", "fe80::ff00:ff:fe00:2")]


@linux
def test_a_port_of_our_own_process_is_not_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.bind(("", 5353))  # not to be shared
        seen = port.gather()
        assert ("ipv4", "EADDRINUSE") in seen.errors
        assert not [holder for holder in seen.holders or () if holder.pid == os.getpid()]
        monkeypatch.setattr(os, "getpid", lambda: 1)
        (holder,) = [holder for holder in port.gather().holders or () if holder.address == "0.0.0.0"]
        assert holder.program
        assert "python" in holder.program or "pytest" in holder.program
    assert port.gather().errors == ()


def test_neighbours() -> None:
    assert hosts.in_arp(ARP, ["10.77.0.1"]) is True
    assert hosts.in_arp(ARP, ["10.77.0.9"]) is False
    assert hosts.in_arp(ARP, ["10.77.0.9", "10.77.0.1"]) is True
    assert hosts.in_arp(ARP, ["10.77.0.5", "fd77::1"]) is None


def test_which_link_leads_to_an_address() -> None:
    every = LAN.every
    assert hosts.link_towards(every, "10.77.0.1") == "eth0"
    assert hosts.link_towards(every, "10.78.0.1") is None
    assert hosts.link_towards(every, "fe80::1%eth0") == "eth0"
    assert hosts.link_towards(every, "fe80::1%2") == "eth0"
    assert hosts.link_towards(every, "fe80::1%eth1") is None


def test_which_hosts_are_tested() -> None:
    entry = ManualEntry(None, target.parse("http://nas:7860"), None, "http://nas:7860")
    here = ManualEntry(None, target.parse("127.0.0.1:8188"), None, "http://127.0.0.1:8188")
    config = Config(probe_hosts=("localhost", "gpu-box", "nas"), services=(entry, here))
    named = hosts.named(config, [target.parse("10.77.0.1")])
    assert [(one.host, one.port) for one in named] == [("10.77.0.1", None), ("gpu-box", None), ("nas", 7860)]
    many = Config(probe_hosts=tuple(f"h{number}" for number in range(40)))
    assert len(hosts.named(many, ())) == 16


async def test_connections() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        number = server.getsockname()[1]
        replies = await hosts.connect_all([("127.0.0.1", number)])
    assert replies == (Reply("127.0.0.1", number, Tcp.ACCEPTED),)
    (refused,) = await hosts.connect_all([("127.0.0.1", number)])
    assert refused.outcome is Tcp.REFUSED
    assert refused.outcome.up


async def test_a_name_that_is_not_known_and_one_that_is_ours() -> None:
    unknown, here = await hosts.gather(
        [target.parse("no-such-host.invalid"), target.parse("127.0.0.1")], links.gather().every
    )
    assert unknown == HostFacts("no-such-host.invalid")
    assert here.here


def test_this_machines_interfaces() -> None:
    seen = links.gather()
    (lo,) = [link for link in seen.every if link.interface.loopback]
    assert lo.name not in seen.usable
    assert lo.up is not False


def test_what_machine_this_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.gather().platform == sys.platform
    monkeypatch.setattr(Path, "exists", lambda _: False)
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "0::/kubepods/x")
    monkeypatch.delenv("container", raising=False)
    assert machine.gather().container == "/proc/1/cgroup names kubepods"
    monkeypatch.setenv("container", "podman")
    assert machine.gather().container == "container=podman"
    seen = machine.clock(machine.clocks(), machine.clocks())
    assert abs((seen.wall[1] - seen.wall[0]) - (seen.monotonic[1] - seen.monotonic[0])) < 1


async def test_firewall_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, script in {"nft": "echo rules", "iptables-save": "echo no >&2; exit 3", "ufw": "exit 4"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "firewall-cmd").write_text("no program", encoding="utf-8")
    (tmp_path / "firewall-cmd").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(read, "_SBIN", ())
    monkeypatch.setattr(sys, "platform", "linux")
    seen = {one.tool: one for one in await read.gather()}
    assert (seen["nft"].text, seen["nft"].error) == ("rules\n", None)
    assert (seen["iptables"].text, seen["iptables"].error) == ("", "no")
    assert seen["ufw"].error == "it ended with 4"
    assert seen["firewalld"].error


async def test_a_tool_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nft").write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    (tmp_path / "nft").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(read, "_SBIN", ())
    monkeypatch.setattr(read, "TOOLS", {"nft": ("nft",)})
    monkeypatch.setattr(read, "_LIMIT_S", 0.05)
    monkeypatch.setattr(sys, "platform", "linux")
    (seen,) = await read.gather()
    assert seen.error == "no answer within 0 s"


async def test_nobody_to_talk_to() -> None:
    seen = await packets.gather((), (), 0.1)
    assert (seen.asked, seen.answers) == ((), ())


async def test_a_host_that_refuses_and_one_that_cannot_be_asked() -> None:
    box = HostFacts("box", ("127.0.0.1",))
    nowhere = HostFacts("nowhere", ("fe80::1%nosuch0",))
    seen = await packets.gather((), (box, nowhere), 0.6)
    assert seen.refused == {"127.0.0.1"}
    assert [one.error for one in seen.asked if one.to == "fe80::1%nosuch0"]
    assert LO.interface.loopback


async def test_what_is_not_believed_is_gathered_unless_it_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing on this machine's own network can be announced in a unit test, so the manager is a stand-in."""
    foreign = service(status=Status.UNTRUSTED, problem="Another key.", trust=Trust.UNTRUSTED)

    class Manager(ServiceDiscoveryManager):
        async def discover_all_services(self, *_: object, **__: object) -> Snapshot:
            return snapshot(foreign, service(id="other"))

    monkeypatch.setattr(services, "ServiceDiscoveryManager", Manager)
    found = await services.found(Config(sources=("manual",)), 0.1)
    assert (found.answering, found.silent) == (1, ())
    assert found.untrusted == (UntrustedService(foreign.name, foreign.url, foreign.host, "Another key."),)
    assert (await services.found(Config(sources=("manual",), ignore=(foreign.id,)), 0.1)).untrusted == ()


async def test_what_breaks_is_reported_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setenv("HYBRIDISCO_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setattr(links, "gather", broken)
    async with asyncio.timeout(30):
        report = await examine((), 0.1)
    results = {one.id: one for one in report.checks}
    assert results["look:the interfaces"].evidence == ("RuntimeError: out of order",)
    assert results["interfaces"].result is Result.UNKNOWN
    assert results["port"].result is Result.OK
