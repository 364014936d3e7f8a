"""What users type: every good form is read, every bad one is refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridisco.core.errors import UsageError
from hybridisco.core.target import Target, parse, parse_ports


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("gpu-box", Target("gpu-box")),
        ("GPU-Box.local.", Target("gpu-box.local")),
        ("gpu-box:8188", Target("gpu-box", 8188)),
        ("gpu-box/base", Target("gpu-box", path="/base")),
        ("http://gpu-box:8188/base/", Target("gpu-box", 8188, path="/base")),
        ("HTTPS://comfy.studio.example", Target("comfy.studio.example", 443, tls=True)),
        ("http://gpu-box", Target("gpu-box", 80)),
        ("  http://gpu-box:8188\n", Target("gpu-box", 8188)),
        ("10.0.0.5", Target("10.0.0.5")),
        ("10.0.0.5:8188", Target("10.0.0.5", 8188)),
        ("::1", Target("::1")),
        ("[::1]", Target("::1")),
        ("[::1]:8188", Target("::1", 8188)),
        ("2001:DB8::0:5", Target("2001:db8::5")),
        ("fe80::1%eth0", Target("fe80::1", zone="eth0")),
        ("fe80::1%25", Target("fe80::1", zone="25")),
        ("[fe80::1%2525a]", Target("fe80::1", zone="25a")),
        ("fe80::1%2525", Target("fe80::1", zone="2525")),
        ("[fe80::1%2525]/x", Target("fe80::1", path="/x", zone="25")),
        ("[fe80::1%eth0]:8188", Target("fe80::1", 8188, zone="eth0")),
        ("http://[fe80::1%25eth0]:8188", Target("fe80::1", 8188, zone="eth0")),
        ("http://[fe80::1%2512]:8188/x", Target("fe80::1", 8188, path="/x", zone="12")),
        ("bücher.example:80", Target("xn--bcher-kva.example", 80)),
    ],
)
def test_good_forms_are_read(text: str, target: Target) -> None:
    assert parse(text) == target
    assert parse(str(target)) == target


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "No address"),
        ("http://", "host name"),
        ("ftp://gpu-box", "http:// or https://"),
        ("gpu box", "space"),
        ("gpu-box\x07", "invisible"),
        ("gpu-box\u202e", "invisible"),
        ("http://gpu-box:8188/?token=x", "query"),
        ("http://gpu-box/#a", "fragment"),
        ("gpu-box:0", "1 to 65535"),
        ("gpu-box:65536", "1 to 65535"),
        ("gpu-box:", "port"),
        ("gpu-box:١٢", "port"),
        ("10.0.0", "four numbers"),
        ("10.0.0.256:80", "four numbers"),
        ("0x7f.1", "four numbers"),
        ("0.0.0.0:8188", "localhost"),
        ("[::]:8188", "localhost"),
        ("224.0.0.251", "multicast"),
        ("[ff02::fb]:5353", "multicast"),
        ("[::1", "brackets"),
        ("[::1]x", "brackets"),
        ("http://::1/", "brackets"),
        ("1:2:3", "IPv6"),
        ("[gpu-box]:80", "IPv6"),
        ("::1%lo", "link-local"),
        ("fe80::1%", "interface"),
        ("fe80::1%a(b", "interface"),
        ("a..b", "host name"),
        ("-a", "host name"),
        ("faß.example", "xn--"),
        ("ä" * 100, "xn--"),
        ("http://gpu-box/a/../b", "path"),
        ("http://gpu-box\\x", "backslash"),
        ("a" * 2000, "characters"),
    ],
)
def test_bad_forms_are_refused_with_a_hint(text: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        parse(text)


@pytest.mark.parametrize(
    "text", ["http://me:geheim@box:1", "me:geheim@box", "http://me:geh/geheim@box", "ftp://a:geheim@b"]
)
def test_a_password_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert "geheim" not in str(refused.value)


def test_a_target_knows_its_url_and_endpoint() -> None:
    assert parse("https://gpu-box:443/a").url == "https://gpu-box/a"
    assert parse("[fe80::1%eth0]:8188").endpoint().dial == "fe80::1%eth0"
    assert parse("gpu-box:8188").endpoint("10.0.0.5").url == "http://gpu-box:8188"
    assert parse("10.0.0.5:1").is_address
    assert not parse("gpu-box:1").is_address
    with pytest.raises(UsageError, match="no port"):
        _ = parse("gpu-box").url


HOSTS = st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z][a-z0-9-]{0,20}){0,2}", fullmatch=True)


@given(st.text(max_size=60) | st.text("0123456789abcdef:.[]%/@?#- xhtps", max_size=40))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    try:
        target = parse(text)
    except UsageError as error:
        assert str(error).isprintable()  # what was typed is never echoed raw
    else:
        assert parse(str(target)) == target


@given(
    HOSTS | st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.none() | st.integers(1, 65535),
    st.sampled_from(["", "http://", "https://"]),
    st.sampled_from(["", "/", "/base", "/a/b/"]),
)
def test_canonical_text_names_the_same_target(host: str, port: int | None, scheme: str, path: str) -> None:
    try:
        target = parse(f"{scheme}{host}{'' if port is None else f':{port}'}{path}")
    except UsageError:  # multicast and unspecified addresses
        assert host[0] in "[0123456789"
        return
    assert parse(str(target)) == target
    assert target.port is not None or not scheme


@pytest.mark.parametrize(
    ("text", "ports"), [("8000-8200", (8000, 8200)), ("8188", (8188, 8188)), (" 1 - 65535 ", (1, 65535))]
)
def test_port_ranges(text: str, ports: tuple[int, int]) -> None:
    assert parse_ports(text) == ports


@pytest.mark.parametrize("text", ["", "a", "0", "65536", "9-1", "1-2-3", "-5", "8000-", "٣"])
def test_what_is_no_port_range(text: str) -> None:
    with pytest.raises(UsageError, match="range of ports"):
        parse_ports(text)
