"""The edge: whatever the network says, nothing invisible, endless or dangerous comes in."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterator
from ipaddress import ip_interface

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hybridisco.core import safe
from hybridisco.kinds import BUILTIN
from hybridisco.registry import ServiceRegistry
from hybridisco.sources.instance import announcement
from hybridisco.sources.interfaces import Interface
from hybridisco.sources.reach import Reach
from hybridisco.sources.table import Instance, pairs
from tests.say import NOW, TYPE

CONTROL = "\x00\x07\x1b\x7f\x85\x9b\r\n\t\u2028\u2029"
BIDI = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
ZERO_WIDTH = (
    "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u115f\u1160\u17b4\u180b\u180e\u2800\u3164"
    "\ufe0f\uffa0\U000e0001\U000e0101"
)
NASTY = st.text(st.sampled_from(CONTROL + BIDI + ZERO_WIDTH + "ab /.é\u0301語\ud800\ue000"), max_size=40)
TEXTS = NASTY | st.text(max_size=100)


def is_clean(text: str) -> bool:
    """Whether ``text`` can be printed anywhere and be seen in full."""
    plain = all(unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for char in text)
    return plain and not set(text) & set(CONTROL + BIDI + ZERO_WIDTH) and text == text.strip()


def strings(value: object) -> Iterator[str]:
    """Every string in a tree of frozen data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from strings(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from strings(getattr(value, field.name))


@given(TEXTS, st.integers(1, 80))
@example("\u3164\u2800", 80)
@example("a\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301", 80)
@example("\u0c95\u0301\u0302\u0cc6\u0303\u0cc2", 80)  # two parts of a letter with a mark too many between
@settings(deadline=None)
def test_text_is_one_short_visible_line(value: str, limit: int) -> None:
    text = safe.text(value, limit)
    if text is not None:
        assert text and len(text) <= limit and is_clean(text)
        assert safe.text(text, limit) == text


@pytest.mark.parametrize("value", [None, 5, b"bytes", "", " \n", "\u200b", "\u3164"])
def test_nothing_visible_is_no_text(value: object) -> None:
    assert safe.text(value) is None


def test_text_keeps_what_people_write() -> None:
    for name in ("ComfyUI on gpu-box", "Büro 2", "作業場 (3階)", "مرسم", "Студия № 1", "🎨 Atelier"):
        assert safe.text(name) == name


def test_a_heap_of_marks_is_cut() -> None:
    assert len(safe.text("a" + "\u0322" * 50) or "") <= 4


@given(TEXTS, TEXTS, st.dictionaries(st.sampled_from(["id", "kind", "ver", "path", "gpu", "cap", "auth", "st"]), TEXTS))
@settings(deadline=None)
def test_nothing_that_came_from_the_wire_gets_into_a_service_unwashed(
    name: str, server: str, properties: dict[str, str]
) -> None:
    said_of_it = [f"{key}={value}".encode("utf-8", "surrogatepass")[:255] for key, value in properties.items()]
    raw = b"".join(bytes([len(each)]) + each for each in said_of_it)
    lan = (Interface("eth0", 2, (ip_interface("10.0.0.1/24"),)),)
    one = Instance(TYPE, f"{name}.{TYPE}", "10.0.0.2", 4500.0, 4500.0, server, 8188, raw)
    said, _ = announcement(one, pairs(raw), Reach(lan)([("10.0.0.2", "eth0")]), None)
    assert said is not None
    registry = ServiceRegistry(BUILTIN)
    registry.apply(said, NOW)
    snapshot = registry.snapshot()
    assert len(snapshot) == 1
    assert all(is_clean(text) for text in strings(snapshot))


@pytest.mark.parametrize("path", ["/", "/comfyui", "/a/b-c/~d", "/a%20b", "/..a", "/a/", "/" + "p" * 99])
def test_paths(path: str) -> None:
    assert safe.path(path) == (path.rstrip("/") or "/")


@pytest.mark.parametrize(
    "path", ["", "a", "//host/x", "/a//b", "/a/../b", "/..", "/.", "/a?b", "/a#b", "/a b", "/a\n", "http://h/",
             None, "/é", "/" + "p" * 100, "/a\\b"],
)  # fmt: skip
def test_paths_that_are_none(path: object) -> None:
    assert safe.path(path) is None


@given(TEXTS)
@settings(deadline=None)
def test_a_host_is_a_host_or_nothing(value: str) -> None:
    host = safe.host(value)
    assert host is None or (is_clean(host) and host.isascii() and host == host.lower() and not host.endswith("."))


@pytest.mark.parametrize(
    ("value", "host"),
    [("GPU-Box.local.", "gpu-box.local"), ("box", "box"), ("a..b", None), ("", None), ("x" * 64, None), ("a/b", None),
     ("a\n", None), (5, None)],
)  # fmt: skip
def test_hosts(value: object, host: str | None) -> None:
    assert safe.host(value) == host


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "224.0.0.251", "ff02::fb", "255.255.255.255",
        "169.254.169.254", "169.254.1.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0",
        "::ffff:224.0.0.1", "::127.0.0.1",
        "::ffff:7f00:1", "localhost", "", "10.0.0.256", "10.1", "fe80::1::2", "240.0.0.1",
    ],
)  # fmt: skip
def test_addresses_that_no_announcement_may_name(address: str) -> None:
    assert safe.announced_address(address) is None


@pytest.mark.parametrize(
    ("address", "shown"),
    [("10.0.0.2", "10.0.0.2"), ("fe80::2%eth0", "fe80::2"), ("FD00:0::2", "fd00::2"), ("::ffff:10.0.0.2", "10.0.0.2"),
     ("2001:db8::1", "2001:db8::1")],
)  # fmt: skip
def test_addresses(address: str, shown: str) -> None:
    assert safe.announced_address(address) == shown


@given(TEXTS | st.ip_addresses().map(str))
@settings(deadline=None)
def test_any_address_is_fit_or_refused(value: str) -> None:
    address = safe.announced_address(value)
    assert address is None or safe.announced_address(address) == address


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), ("5", 5), (5.9, 5), (True, None), ("1e3", None), (float("nan"), None), (float("inf"), None), (-1, None),
     (101, None), ("9" * 16, None), (None, None)],
)  # fmt: skip
def test_whole_numbers(value: object, number: int | None) -> None:
    assert safe.whole(value, 0, 100) == number


@pytest.mark.parametrize(
    ("value", "kind"), [("ComfyUI ", "comfyui"), ("a b", None), ("", None), ("x" * 33, None), (1, None)]
)
def test_kinds(value: object, kind: str | None) -> None:
    assert safe.kind_id(value) == kind
