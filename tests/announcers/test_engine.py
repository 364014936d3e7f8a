"""What the engine puts on the wire; that it arrives is tested in tests/e2e."""

from __future__ import annotations

from ipaddress import ip_interface

import pytest
from zeroconf._dns import DNSAddress, DNSPointer
from zeroconf._protocol.outgoing import DNSOutgoing

from announcers.engine import _for_link, _link_of, label
from hybridisco import NetworkInterface

ETH0 = NetworkInterface(
    "eth0", 2, (ip_interface("10.77.0.1/24"), ip_interface("fd77::1/64"), ip_interface("fe80::1/64"))
)
ETH1 = NetworkInterface("eth1", 3, (ip_interface("10.78.0.1/24"), ip_interface("fe80::2/64")))
WIFI = NetworkInterface("wlan0", 4, (ip_interface("10.77.0.2/24"),))
LINKS = (ETH0, ETH1, WIFI)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ComfyUI on gpu-box", "ComfyUI on gpu-box"),
        ("Wan2GP v12.60", "Wan2GP v12 60"),
        ("x" * 80, "x" * 63),
        ("ä" * 40, "ä" * 31),
        ("日本語" * 20, "日本語" * 7),
        ("...", "backend"),
        ("", "backend"),
    ],
)
def test_a_name_becomes_one_label(name: str, expected: str) -> None:
    assert label(name) == expected
    assert 0 < len(label(name).encode()) <= 63


@pytest.mark.parametrize(
    ("address", "zone", "link"),
    [
        ("10.77.0.1", 0, ETH0),  # the address of a socket of ours
        ("10.77.0.2", 0, WIFI),  # two interfaces in one subnet
        ("10.78.0.99", 0, ETH1),  # somebody who asked
        ("::ffff:10.78.0.99", 0, ETH1),  # the same, at a socket for both families
        ("fd77::99", 0, ETH0),
        ("fe80::99", 3, ETH1),
        ("fe80::99%3", 3, ETH1),
        ("fe80::99", 9, None),
        ("192.0.2.1", 0, None),
        ("0.0.0.0", 0, None),
    ],
)
def test_the_link_of_an_address(address: str, zone: int, link: NetworkInterface | None) -> None:
    assert _link_of(LINKS, address, zone) is link


def outgoing(*addresses: str) -> DNSOutgoing:
    out = DNSOutgoing(0x8400)
    for address in addresses:
        record = DNSAddress("box.local.", 1, 1, 120, ip_interface(address).ip.packed)
        out.answers.append((record, 0.0))
        out.additionals.append(record)
    return out


def test_a_link_hears_of_its_own_addresses_only() -> None:
    out = outgoing("10.77.0.1", "fd77::1", "10.78.0.1", "fe80::1", "fe80::2")
    for link in LINKS:
        own = {address.ip.packed for address in link.addresses}
        said = _for_link(out, link)
        assert {record.address for record, _ in said.answers} == own & {record.address for record, _ in out.answers}
        assert {record.address for record in said.additionals} == {record.address for record, _ in said.answers}
    assert len(_for_link(out, None).answers) == 5


def test_subtypes_are_not_listed_as_types() -> None:
    out = DNSOutgoing(0x8400)
    for alias in ("_hybridisco._tcp.local.", "_comfyui._sub._hybridisco._tcp.local."):
        out.answers.append((DNSPointer("_services._dns-sd._udp.local.", 12, 1, 4500, alias), 0.0))
    assert [record.alias for record, _ in _for_link(out, ETH0).answers] == ["_hybridisco._tcp.local."]
