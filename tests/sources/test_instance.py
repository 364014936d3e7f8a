"""From DNS-SD records to an announcement: what is refused, bounded and cleaned."""

from __future__ import annotations

from ipaddress import ip_interface

import pytest

from hybridisco.core.model import Announcement, Proof
from hybridisco.core.trust import Signed
from hybridisco.sources.instance import ENDPOINT_LIMIT, announcement
from hybridisco.sources.interfaces import Interface
from hybridisco.sources.reach import Place, Reach
from hybridisco.sources.table import Instance, pairs

TYPE = "_hybridisco._tcp.local."
ETH0 = Interface("eth0", 2, (ip_interface("10.77.0.9/24"), ip_interface("fd77::9/64"), ip_interface("fe80::9/64")))
ETH1 = Interface("eth1", 3, (ip_interface("10.78.0.9/24"), ip_interface("fe80::9/64")))
BOTH = (ETH0, ETH1)
UNSIGNED = Signed(Proof.UNSIGNED)


def places(*said: str) -> list[Place]:
    """Addresses as they were heard, each on the link after its ``%``, else on eth0."""
    return [(address, link or "eth0") for address, _, link in (each.partition("%") for each in said)]


def text(**properties: bytes) -> bytes:
    """The octets of a TXT record."""
    strings = [key.encode() + b"=" + value for key, value in properties.items()]
    return b"".join(bytes([len(each)]) + each for each in strings)


def said(
    *addresses: str,
    every: tuple[Interface, ...] = BOTH,
    stands_for: str | None = None,
    name: str = "ComfyUI on box",
    port: int | None = 8188,
    server: str | None = "box.local.",
    signature: Signed = UNSIGNED,
    gateways: frozenset[str] = frozenset(),
    senders: tuple[str, ...] = ("10.77.0.1",),
    **properties: bytes,
) -> tuple[Announcement | None, int]:
    one = Instance(TYPE, f"{name}.{TYPE}", senders[0], 4500.0, 4500.0, server, port, text(**properties))
    one.senders.update(senders)
    dialable = Reach(every)(places(*addresses))
    return announcement(one, pairs(one.text or b""), dialable, stands_for, signature, gateways)


def dialled(
    *addresses: str,
    every: tuple[Interface, ...] = BOTH,
    signature: Signed = UNSIGNED,
    gateways: frozenset[str] = frozenset(),
    senders: tuple[str, ...] = ("10.77.0.1",),
) -> list[str]:
    found, _ = said(*addresses, every=every, signature=signature, gateways=gateways, senders=senders)
    return [endpoint.dial for endpoint in found.endpoints] if found else []


def test_all_that_an_honest_instance_says_is_there() -> None:
    found, dropped = said(
        "10.77.0.1", "fd77::1",
        id=b"abcdefghijklmnopqrstuvwxyz", kind=b"comfyui", ver=b"0.3.64", path=b"/base", tls=b"1", auth=b"key",
        st=b"busy", cap=b"image,video", gpu=b"RTX 4090", vram=b"24564", live=b"45678",
    )  # fmt: skip
    assert found is not None
    assert dropped == 0
    assert (found.id, found.kind, found.version) == ("abcdefghijklmnopqrstuvwxyz", "comfyui", "0.3.64")
    assert (found.name, found.host, found.auth, found.state) == ("ComfyUI on box", "box.local", "key", "busy")
    assert found.capabilities == ("image", "video")
    assert dict(found.properties) == {"auth": "key", "gpu": "RTX 4090", "vram_mib": 24564}
    assert [endpoint.url for endpoint in found.endpoints] == [
        "https://10.77.0.1:8188/base",
        "https://[fd77::1]:8188/base",
    ]
    assert {endpoint.interface for endpoint in found.endpoints} == {"eth0"}
    assert found.standing
    assert found.live == 45678
    assert (found.proof, found.signer) == (Proof.UNSIGNED, None)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::", "224.0.0.251", "ff02::fb", "169.254.169.254", "169.254.1.1",
        "255.255.255.255", "240.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "nonsense", "",
    ],
)  # fmt: skip
def test_addresses_that_nobody_may_send_us_to(address: str) -> None:
    assert said(address) == (None, 0)
    assert dialled(address, "10.77.0.1") == ["10.77.0.1"]


@pytest.mark.parametrize("port", [None, 0, -1, 65536])
def test_ports_that_there_are_not(port: int | None) -> None:
    assert said("10.77.0.1", port=port)[0] is None


def test_a_link_local_address_is_dialled_through_the_link_that_it_was_heard_on() -> None:
    assert dialled("fe80::1") == ["fe80::1%eth0"]
    assert dialled("fe80::1%eth1", "10.77.0.1") == ["fe80::1%eth1", "10.77.0.1"]
    assert dialled("fe80::1", "fe80::1%eth1") == ["fe80::1%eth0", "fe80::1%eth1"]


def test_an_address_is_dialled_only_through_the_link_that_it_was_heard_on() -> None:
    """A neighbour here has no business with another network of this machine: a VPN, or a switch for containers."""
    found, _ = said("10.78.0.1", "10.77.0.1%eth0", "10.77.0.2%eth1", "10.78.0.3%eth1")
    assert found is not None
    assert [(e.address, e.interface) for e in found.endpoints] == [("10.77.0.1", "eth0"), ("10.78.0.3", "eth1")]


@pytest.mark.parametrize("port", [22, 25, 515, 631, 9100, 9107])
def test_ports_that_a_stray_request_may_disturb_are_not_dialled(port: int) -> None:
    assert said("10.77.0.1", port=port)[0] is None


def test_a_zone_that_was_announced_does_not_count() -> None:
    assert Reach(BOTH)([("fe80::1%eth1", "eth0")]) == (("fe80::1", "eth0"),)


@pytest.mark.parametrize("elsewhere", ["192.168.5.5", "93.184.216.34", "100.100.100.200", "fd00:ec2::254"])
def test_an_address_of_another_network_is_not_dialled(elsewhere: str) -> None:
    assert said(elsewhere)[0] is None
    assert dialled(elsewhere, "10.77.0.1") == ["10.77.0.1"]


def test_endpoints_are_bounded_and_told_once() -> None:
    assert dialled("10.77.0.1", "::ffff:10.77.0.1", "10.77.0.1") == ["10.77.0.1"]
    assert len(dialled(*(f"10.77.0.{n}" for n in range(1, 200)))) == ENDPOINT_LIMIT


def test_a_router_is_dialled_only_if_it_announces_itself() -> None:
    routers = frozenset({"10.77.0.254", "fd77::fe"})
    assert dialled("10.77.0.254", "fd77::fe", gateways=routers) == []
    assert dialled("10.77.0.254", "10.77.0.1", gateways=routers) == ["10.77.0.1"]
    assert dialled("10.77.0.254", gateways=routers, senders=("10.77.0.1", "10.77.0.254")) == ["10.77.0.254"]


@pytest.mark.parametrize("proof", [Proof.SIGNED, Proof.UNCHECKED, Proof.OUTDATED])
def test_of_a_signed_announcement_only_signed_addresses_are_dialled(proof: Proof) -> None:
    signature = Signed(proof, "the key", 1, frozenset({"10.77.0.1", "fe80::1"}))
    assert dialled("10.77.0.66", "10.77.0.1", "fe80::1", signature=signature) == ["10.77.0.1", "fe80::1%eth0"]
    assert dialled("10.77.0.66", signature=signature) == []


def test_what_the_signature_is_worth_goes_with_it() -> None:
    found, _ = said("10.77.0.1", signature=Signed(Proof.SIGNED, "the key", 1, frozenset({"10.77.0.1"})))
    assert found is not None
    assert (found.proof, found.signer) == (Proof.SIGNED, "the key")
    found, _ = said("10.77.0.66", signature=Signed(Proof.FALSE, "the key", 1))
    assert found is not None
    assert (found.proof, found.signer) == (Proof.FALSE, "the key"), "it is shown, so that the user is told"


def test_dirt_is_dropped_and_counted() -> None:
    found, dropped = said(
        "10.77.0.1",
        kind=b"../../etc", id=b"\x1b]0;x\x07", path=b"http://169.254.169.254/", vram=b"9" * 30, tls=b"maybe",
        auth=b"\xff\xfe", cap=b"!!", gpu="\u202e\u2066".encode(), unknown=b"x",
    )  # fmt: skip
    assert found is not None
    assert (found.kind, found.id, found.capabilities, found.properties) == (None, None, (), ())
    assert found.endpoints[0].url == "http://10.77.0.1:8188"
    assert dropped == 8


@pytest.mark.parametrize(
    "path", [b"//evil.example/", b"/../..", b"/a?b", b"/a#b", b"@evil", b"/a b", b"/" + b"a" * 200]
)
def test_a_path_is_only_ever_a_path(path: bytes) -> None:
    found, dropped = said("10.77.0.1", path=path)
    assert found is not None
    assert (found.endpoints[0].path, dropped) == ("/", 1)


def test_names_are_one_clean_line() -> None:
    found, _ = said("10.77.0.1", name="a\x1b[31m\u202eb\x00\n c" + "ä" * 200, server="bad host\n")
    assert found is not None
    assert found.name is not None
    assert found.name.startswith("a[31mb c")
    assert found.name.isprintable()
    assert len(found.name) <= 80
    assert found.host is None


def test_a_mapped_type_stands_for_its_kind() -> None:
    found, _ = said("10.77.0.1", stands_for="wyoming")
    assert found is not None
    assert found.kind == "wyoming"
