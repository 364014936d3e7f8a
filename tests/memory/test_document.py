"""The format: what is written is read again, and what is damaged is left out without an error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridisco.memory import document
from tests.memory.samples import entry
from tests.say import NOW

FULL = entry(
    "X",
    "10.0.0.1",
    "fe80::2%eth0",
    name="Größe “1”",
    version="0.3",
    capabilities=("image", "video"),
    key="k" * 43,
    live=49152,
    missed=2,
    missed_at=int(NOW),
)


def with_entry(**changes: Any) -> bytes:
    """A file with one entry, in which something is changed; None leaves a key out."""
    said = json.loads(document.write([FULL]))
    said["services"][0] |= changes
    said["services"][0] = {key: value for key, value in said["services"][0].items() if value is not None}
    return json.dumps(said).encode()


def test_what_is_written_is_read_again() -> None:
    entries = (FULL, entry(None, "fd77::1", port=7860))
    assert document.read(document.write(entries)) == document.Page(entries)


def test_nothing_is_nothing() -> None:
    assert document.read(b"") == document.Page()
    assert document.read(document.write(())) == document.Page()


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfe", b"{", b"[]", b"{}", b'{"version": 1}', b'{"version": 1, "services": 3}', b"[" * 100_000, b"1" * 5000],
)
def test_what_is_no_such_file_is_dropped(data: bytes) -> None:
    assert document.read(data) == document.Page(dropped=1)


def test_a_newer_version_is_not_understood() -> None:
    assert document.read(b'{"version": 2, "services": []}') == document.Page(foreign=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": None},
        {"kind": "Not A Kind"},
        {"id": "no id, this"},
        {"id": 7},
        {"key": ["k"]},
        {"key": ""},
        {"endpoints": None},
        {"endpoints": []},
        {"endpoints": [{"address": "10.0.0.1"}]},
        {"endpoints": [{"address": "127.0.0.1", "port": 8188}]},
        {"endpoints": [{"address": "169.254.169.254", "port": 80}]},
        {"endpoints": [{"address": "gpu-box", "port": 8188}]},
        {"endpoints": [{"address": "10.0.0.1", "port": 22}]},
        {"endpoints": [{"address": "10.0.0.1", "port": 8188, "path": "/../x"}]},
        {"endpoints": [{"address": "10.0.0.1", "port": 8188, "interface": "\x1b[2J"}]},
    ],
)
def test_what_cannot_be_right_is_left_out(changes: dict[str, Any]) -> None:
    assert document.read(with_entry(**changes)) == document.Page(dropped=1)


def test_texts_are_made_safe() -> None:
    (read,) = document.read(with_entry(name="a\x1b[31m\nb", host="no host!", seen_at="soon", missed=-1)).entries
    assert (read.name, read.host, read.seen_at, read.missed) == ("a[31m b", None, 0, 0)


def test_no_more_entries_than_are_allowed() -> None:
    every = [entry(f"id-{number}", f"10.0.{number % 256}.1") for number in range(document.LIMIT + 5)]
    page = document.read(document.write(every))
    assert (len(page.entries), page.dropped) == (document.LIMIT, 5)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(["id", "kind", "name", "host", "endpoints", "capabilities", "key", "since", "missed"]), VALUES)
def test_whatever_stands_there_it_is_read_without_an_error(key: str, value: object) -> None:
    page = document.read(with_entry(**{key: value}))
    assert len(page.entries) + page.dropped == 1
    assert document.read(document.write(page.entries)).entries == page.entries
