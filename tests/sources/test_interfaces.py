"""Which interfaces are worth announcing and browsing on."""

from __future__ import annotations

import sys
from ipaddress import ip_interface

import pytest

from hybridisco.sources import interfaces as module
from hybridisco.sources.interfaces import (
    Interface,
    choice,
    default_interface,
    interface_towards,
    interfaces,
    local_addresses,
    usable,
)


def interface(name: str, index: int, *addresses: str) -> Interface:
    return Interface(name, index, tuple(map(ip_interface, addresses)))


LO = interface("lo", 1, "127.0.0.1/8", "::1/128")
LAN = interface("eth0", 2, "10.77.0.1/24", "fd77::1/64", "fe80::1/64")
WIFI = interface("wlan0", 3, "192.168.1.20/24", "fe80::2/64")
DOCKER = interface("docker0", 4, "172.17.0.1/16")


@pytest.mark.parametrize(
    "name",
    [
        "docker0", "br-0123456789ab", "veth1a2b3c4", "virbr0", "virbr0-nic", "vnet12", "vmnet8", "vboxnet0", "lxcbr0",
        "lxdbr0", "cni0", "flannel.1", "cali0123456789a", "podman1", "vEthernet (WSL)", "vEthernet (Default Switch)",
    ],
)  # fmt: skip
def test_switches_of_containers_and_virtual_machines_are_told_by_their_name(name: str) -> None:
    assert interface(name, 9, "172.30.0.1/16").virtual


@pytest.mark.parametrize("name", ["eth0", "en0", "wlp3s0", "enp0s31f6", "veth0", "br0", "bridge", "Ethernet 2", "tun0"])
def test_other_interfaces_are_not(name: str) -> None:
    assert not interface(name, 9, "10.0.0.1/8").virtual


def test_those_that_lead_to_a_lan_are_used() -> None:
    assert usable((LO, LAN, WIFI, DOCKER)) == (LAN, WIFI)
    assert usable((LO, LAN, WIFI, DOCKER), ("wlan0", "docker0")) == (WIFI, DOCKER)
    assert usable((LO, LAN), ("eth9",)) == ()


def test_without_a_lan_a_machine_still_finds_itself() -> None:
    assert usable((LO,)) == (LO,)
    assert choice(usable((LO,))) == ["127.0.0.1"]
    assert usable(()) == ()
    assert choice(()) == []


def test_zeroconf_takes_ipv4_addresses_and_ipv6_indexes() -> None:
    assert choice((LAN, WIFI, DOCKER)) == ["10.77.0.1", "192.168.1.20", "172.17.0.1", 2, 3]
    assert choice((interface("eth1", 7, "fe80::9/64"),)) == [7]


def test_local_addresses_carry_a_zone_where_they_need_one() -> None:
    assert local_addresses((LO, LAN)) == {"127.0.0.1", "::1", "10.77.0.1", "fd77::1", "fe80::1%eth0"}


def test_the_way_to_an_address() -> None:
    every = (LO, LAN, WIFI)
    assert interface_towards(every, "10.77.0.99") == "eth0"
    assert interface_towards(every, "192.168.1.1") == "wlan0"
    assert interface_towards(every, "fd77::abcd") == "eth0"
    assert interface_towards(every, "127.0.0.1") == "lo"
    assert interface_towards(every, "8.8.8.8") is None
    assert interface_towards(every, "fe80::99") is None  # it could be on any of them


def test_this_machine_has_a_loopback_interface() -> None:
    (lo,) = [found for found in interfaces() if found.loopback]
    assert "127.0.0.1" in {str(address.ip) for address in lo.addresses}
    assert lo.index > 0


def test_the_default_route_is_unknown_without_netifaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "netifaces", None)
    assert default_interface() is None


def test_the_default_route_is_an_interface_or_there_is_none() -> None:
    found = default_interface()
    assert found is None or found in {each.name for each in module.interfaces()}
