"""From DNS-SD records to an announcement: what is refused, bounded, cleaned and inferred."""

from __future__ import annotations

from ipaddress import ip_interface

import pytest

from hybridisco.core.model import Announcement
from hybridisco.sources.instance import Instance, announcement
from hybridisco.sources.interfaces import Interface

TYPE = "_hybridisco._tcp.local."
ETH0 = Interface("eth0", 2, (ip_interface("10.77.0.9/24"), ip_interface("fd77::9/64"), ip_interface("fe80::9/64")))
ETH1 = Interface("eth1", 3, (ip_interface("10.78.0.9/24"), ip_interface("fe80::9/64")))
BOTH = (ETH0, ETH1)


def said(
    *packets: tuple[str, ...],
    every: tuple[Interface, ...] = BOTH,
    stands_for: str | None = None,
    name: str = "ComfyUI on box",
    port: int | None = 8188,
    server: str | None = "box.local.",
    **properties: bytes,
) -> tuple[Announcement | None, int]:
    raw = {key.encode(): value for key, value in properties.items()}
    return announcement(Instance(f"{name}.{TYPE}", TYPE, server, port, packets, raw), stands_for, every, every)


def dialled(*packets: tuple[str, ...], every: tuple[Interface, ...] = BOTH) -> list[str]:
    found, _ = said(*packets, every=every)
    return [endpoint.dial for endpoint in found.endpoints] if found else []


def test_all_that_an_honest_instance_says_is_there() -> None:
    found, dropped = said(
        ("10.77.0.1", "fd77::1"),
        id=b"abcdefghijklmnopqrstuvwxyz", kind=b"comfyui", ver=b"0.3.64", path=b"/base", tls=b"1", auth=b"key",
        st=b"busy", cap=b"image,video", gpu=b"RTX 4090", vram=b"24564",
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


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::", "224.0.0.251", "ff02::fb", "169.254.169.254", "169.254.1.1",
        "255.255.255.255", "240.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "nonsense", "",
    ],
)  # fmt: skip
def test_addresses_that_nobody_may_send_us_to(address: str) -> None:
    assert said((address,)) == (None, 0)
    assert dialled((address, "10.77.0.1")) == ["10.77.0.1"]


@pytest.mark.parametrize("port", [None, 0, -1, 65536])
def test_ports_that_there_are_not(port: int | None) -> None:
    assert said(("10.77.0.1",), port=port)[0] is None


def test_a_zone_is_that_of_the_packet() -> None:
    assert dialled(("fe80::1%2",)) == ["fe80::1%eth0"]
    assert dialled(("fe80::1%3", "10.77.0.1")) == ["fe80::1%eth1", "10.77.0.1"]
    assert dialled(("fe80::1%eth1",)) == ["fe80::1%eth1"]


def test_a_zone_is_inferred_from_what_came_in_the_same_packet() -> None:
    assert dialled(("10.78.0.1", "fe80::1")) == ["10.78.0.1", "fe80::1%eth1"]
    two = (("10.77.0.1", "fe80::1"), ("10.78.0.1", "fe80::2"))
    assert dialled(*two) == ["10.77.0.1", "fe80::1%eth0", "10.78.0.1", "fe80::2%eth1"]


def test_an_unknown_zone_is_tried_wherever_it_can_be() -> None:
    assert dialled(("fe80::1",), every=(ETH0,)) == ["fe80::1%eth0"]
    assert dialled(("fe80::1",)) == ["fe80::1%eth0", "fe80::1%eth1"]
    assert dialled(("10.77.0.1", "10.78.0.1", "fe80::1")) == ["10.77.0.1", "10.78.0.1", "fe80::1%eth0", "fe80::1%eth1"]
    assert dialled(("fe80::1%99",), every=()) == []


@pytest.mark.parametrize("elsewhere", ["192.168.5.5", "93.184.216.34", "100.100.100.200", "fd00:ec2::254"])
def test_an_address_of_another_network_is_not_dialled(elsewhere: str) -> None:
    assert said((elsewhere,))[0] is None
    assert dialled((elsewhere, "10.77.0.1")) == ["10.77.0.1"]


def test_endpoints_are_bounded_and_told_once() -> None:
    assert dialled(("10.77.0.1", "10.77.0.1"), ("10.77.0.1",)) == ["10.77.0.1"]
    assert len(dialled(tuple(f"10.77.0.{n}" for n in range(1, 200)))) == 8


def test_dirt_is_dropped_and_counted() -> None:
    found, dropped = said(
        ("10.77.0.1",),
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
    found, dropped = said(("10.77.0.1",), path=path)
    assert found is not None
    assert (found.endpoints[0].path, dropped) == ("/", 1)


def test_names_are_one_clean_line() -> None:
    found, _ = said(("10.77.0.1",), name="a\x1b[31m\u202eb\x00\n c" + "ä" * 200, server="bad host\n")
    assert found is not None
    assert found.name is not None
    assert found.name.startswith("a[31mb c")
    assert found.name.isprintable()
    assert len(found.name) <= 80
    assert found.host is None


def test_a_mapped_type_stands_for_its_kind() -> None:
    found, _ = said(("10.77.0.1",), stands_for="wyoming")
    assert found is not None
    assert found.kind == "wyoming"
