"""Which addresses of this machine may be told, and when its network has changed."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_interface
from pathlib import Path

import pytest

from announcers import network
from announcers.network import announceable, state
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
    monkeypatch.setattr(network, "carries_traffic", lambda name: False)
    assert state((ETH0,)) != before


def test_a_link_without_a_carrier_is_not_announced_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "carries_traffic", lambda name: name != "eth0")
    assert set(told()) == {"eth1"}


def test_where_the_system_cannot_tell_a_link_is_taken_to_carry() -> None:
    assert state((NetworkInterface("gone0", 99, ()),)) == ((NetworkInterface("gone0", 99, ()), True),)
