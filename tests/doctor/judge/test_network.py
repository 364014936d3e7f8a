"""Interfaces, default route, IPv6: what the doctor makes of them."""

from __future__ import annotations

import pytest

from hybridisco.doctor.facts import Found
from hybridisco.doctor.report import Result
from tests.doctor.world import ETH0, LAN, LO, causes, check, link, links, report


def test_a_healthy_machine_has_nothing_wrong() -> None:
    assert causes() == []
    assert report().sound
    assert {one.result for one in report().checks} <= {Result.OK, Result.SKIPPED}


def test_why_an_interface_is_skipped() -> None:
    every = links(
        LO,
        link("eth0", *ETH0),
        link("docker0", "172.17.0.1/16"),
        link("eth1", "10.78.0.2/24", up=False),
        link("eth2"),
        link("eth3", "10.79.0.2/24", multicast=False),
        link("eth4", "10.80.0.2/24", carrier=False),
        usable=["eth0", "eth1", "eth3", "eth4"],
    )
    lines = {line.partition(":")[0]: line.rpartition(": ")[2] for line in check("interfaces", links=every).evidence}
    assert lines["eth0"] == "used"
    assert "this machine only" in lines["lo"]
    assert "containers" in lines["docker0"]
    assert "down" in lines["eth1"]
    assert "no address" in lines["eth2"]
    assert "MULTICAST" in lines["eth3"]
    assert lines["eth4"].startswith("is the cable in")


def test_what_the_settings_leave_out_is_said_so() -> None:
    from hybridisco.doctor.facts import Settings

    every = links(link("eth0", *ETH0), link("eth1", "10.78.0.2/24"), usable=["eth1"])
    seen = check("interfaces", links=every, settings=Settings(interfaces=("eth1",)))
    assert "mdns.interfaces" in seen.evidence[0]


@pytest.mark.parametrize(
    ("every", "cause"),
    [
        (links(LO, usable=[]), "no-network"),
        (links(LO, link("eth0", *ETH0, up=False), usable=["eth0"]), "no-network"),
        (links(LO, link("docker0", "172.17.0.1/16"), usable=[]), "no-network"),
        (links(LO, link("eth0", *ETH0, multicast=False), usable=["eth0"]), "no-multicast-interface"),
        (links(LO, link("wg0", "10.8.0.2/24", multicast=False), usable=["wg0"]), "only-tunnel"),
        (links(LO, link("x", "10.8.0.2/24", point_to_point=True), usable=["x"]), "only-tunnel"),
    ],
)
def test_no_way_for_multicast(every: object, cause: str) -> None:
    assert causes(links=every)[0] == cause
    assert not report(links=every).sound


@pytest.mark.parametrize("name", ["wg0", "tun0", "utun3", "ppp0", "tailscale0", "nordlynx", "My VPN"])
def test_a_default_route_through_a_tunnel(name: str) -> None:
    every = links(link("eth0", *ETH0), link(name, "10.8.0.2/24"), default=(("ipv4", name),))
    assert causes(links=every) == ["default-route-through-tunnel"]
    assert report(links=every).causes[0].likelihood == "likely"
    assert report(links=every, found=Found(answering=2)).causes[0].likelihood == "possible"


@pytest.mark.parametrize("name", ["eth0", "wlan0", "wlp3s0", "enp0s31f6", "Ethernet", "en0", "br0"])
def test_a_lan_is_no_tunnel(name: str) -> None:
    assert causes(links=links(link(name, *ETH0), default=(("ipv4", name), ("ipv6", name)))) == []


def test_ipv6_switched_off_or_not_there_at_all() -> None:
    off = links(link("eth0", "10.77.0.2/24", ipv6_disabled=True))
    assert check("ipv6", links=off).evidence == ("eth0: IPv6 is switched off",)
    none = links(link("eth0", "10.77.0.2/24", ipv6_disabled=None), ipv6=False)
    assert check("ipv6", links=none).evidence == ("this system has no IPv6 at all",)
    for every in (off, none):
        assert causes(links=every) == ["no-ipv6"]
        assert report(links=every).sound, "it is no problem as such"
    some = links(link("eth0", *ETH0), link("eth1", "10.78.0.2/24"))
    assert check("ipv6", links=some).result is Result.OK
    assert check("ipv6", links=some).evidence[1] == "eth1: no IPv6 address"


def test_what_could_not_be_looked_at_is_unknown() -> None:
    for name in ("interfaces", "vpn", "ipv6"):
        assert check(name, links=None).result is Result.UNKNOWN
    assert check("interfaces", links=LAN).result is Result.OK
