"""What is told on which link."""

from __future__ import annotations

from ipaddress import ip_interface

import pytest
from zeroconf._dns import DNSAddress, DNSPointer, DNSService, DNSText
from zeroconf._protocol.outgoing import DNSOutgoing

from announcers.engine import Engine, Instance
from announcers.network import announceable
from announcers.responder import for_link, link_of
from hybridisco import SERVICE_TYPE, NetworkInterface
from hybridisco.doctor import dns
from tests.announcers.conftest import Ear, until
from tests.e2e.conftest import Studio
from tests.e2e.liar import TXT

ETH0 = NetworkInterface(
    "eth0", 2, (ip_interface("10.77.0.1/24"), ip_interface("fd77::1/64"), ip_interface("fe80::1/64"))
)
ETH1 = NetworkInterface("eth1", 3, (ip_interface("10.78.0.1/24"), ip_interface("fe80::2/64")))
WIFI = NetworkInterface("wlan0", 4, (ip_interface("10.77.0.2/24"),))
LINKS = (ETH0, ETH1, WIFI)


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
def test_thelink_of_an_address(address: str, zone: int, link: NetworkInterface | None) -> None:
    assert link_of(LINKS, address, zone) is link


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
        said = for_link(out, link, {})
        assert {record.address for record, _ in said.answers} == own & {record.address for record, _ in out.answers}
        assert {record.address for record in said.additionals} == {record.address for record, _ in said.answers}
    assert len(for_link(out, None, {}).answers) == 5


def test_subtypes_are_not_listed_as_types() -> None:
    out = DNSOutgoing(0x8400)
    for alias in ("_hybridisco._tcp.local.", "_comfyui._sub._hybridisco._tcp.local."):
        out.answers.append((DNSPointer("_services._dns-sd._udp.local.", 12, 1, 4500, alias), 0.0))
    assert [record.alias for record, _ in for_link(out, ETH0, {}).answers] == ["_hybridisco._tcp.local."]


def test_an_instance_is_told_only_where_it_can_be_reached() -> None:
    name, host = "ComfyUI on box._hybridisco._tcp.local.", "box-hybridisco-abcdef.local."
    out = DNSOutgoing(0x8400)
    for record in (
        DNSPointer("_hybridisco._tcp.local.", 12, 1, 4500, name),
        DNSService(name, 33, 1, 120, 0, 0, 8188, host),
        DNSText(name, 16, 1, 4500, b"\x09txtvers=1"),
    ):
        out.answers.append((record, 0.0))
    places = {name.lower(): frozenset({ip_interface("10.78.0.1/24").ip.packed})}
    assert [len(for_link(out, link, places).answers) for link in LINKS] == [0, 3, 0]
    assert len(for_link(out, ETH0, {}).answers) == 3, "what is not ours to judge is told"


@pytest.mark.netns
async def test_the_doctor_is_answered_by_both_ways_and_a_flood_of_questions_is_not(inside: Studio, ear: Ear) -> None:
    engine = Engine(announceable())
    await engine.announce(
        Instance("id", "Pictures", "comfyui", "box.local.", 8188, ("10.77.0.1",), (("txtvers", "1"),))
    )
    nonce = dns.new_nonce()
    ear.say(dns.echo_question(nonce))
    await until(lambda: len(ear.heard(TXT, f"{nonce}._echo.{SERVICE_TYPE}")) >= 2, 3.0, "two answers")
    said = b"".join(record.text for record in ear.heard(TXT, SERVICE_TYPE))
    assert b"via=multicast" in said and b"via=unicast" in said and b"heard=10.77.0.2" in said
    ear.records.clear()
    for _ in range(200):
        ear.say(dns.echo_question(dns.new_nonce()))
    last = dns.new_nonce()

    def answered() -> bool:
        ear.say(dns.echo_question(last))
        return bool(ear.heard(TXT, f"{last}._echo.{SERVICE_TYPE}"))

    await until(answered, 3.0, "the next second is a new one")
    assert len(ear.heard(TXT, f"._echo.{SERVICE_TYPE}")) <= 3 * 10 * 2
    await engine.close()
