"""TXT records: strict in what we say, lenient in what we read, never a surprise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridisco.core import safe, txt
from hybridisco.core.errors import AnnounceError
from hybridisco.core.txt import AUTHS, SIZE_LIMIT, STATES, TxtRecord, decode, encode, size

ID = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WORD = st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True)
CLEAN = st.text(max_size=30).map(safe.text)
VALID = st.builds(
    TxtRecord,
    id=st.none() | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
    kind=st.none() | WORD,
    version=CLEAN,
    path=st.just("/") | st.from_regex(r"(/[A-Za-z0-9_~-]{1,10}){1,4}", fullmatch=True),
    tls=st.booleans(),
    auth=st.sampled_from([None, *AUTHS]),
    state=st.sampled_from([None, *STATES]),
    capabilities=st.lists(WORD, max_size=4, unique=True).map(tuple),
    gpu=CLEAN,
    vram=st.none() | st.integers(1, 1024 * 1024),
)


def on_the_wire(pairs: dict[str, str]) -> dict[bytes, bytes | None]:
    return {key.encode(): value.encode() for key, value in pairs.items()}


def wire_size(pairs: dict[bytes, bytes | None]) -> int:
    """The octets of the record as RFC 6763 section 6.1 lays them out."""
    return sum(
        len(bytes([len(key) + 1 + len(value or b"")]) + key + b"=" + (value or b"")) for key, value in pairs.items()
    )


@given(VALID)
@settings(deadline=None)
def test_what_is_said_is_read(record: TxtRecord) -> None:
    said = encode(record)
    read, dropped = decode(on_the_wire(said))
    left_out = {
        field for field, key in (("gpu", "gpu"), ("capabilities", "cap"), ("version", "ver")) if key not in said
    }
    for field in TxtRecord.__dataclass_fields__:
        if field not in left_out:
            assert getattr(read, field) == getattr(record, field), field
    assert dropped == 0
    assert next(iter(said)) == "txtvers"
    assert size(said) == wire_size(on_the_wire(said)) <= SIZE_LIMIT


@given(
    st.dictionaries(
        st.binary(max_size=12) | st.sampled_from([b"id", b"kind", b"path", b"gpu", b"TLS"]),
        st.none() | st.binary(max_size=300),
    )
)
@settings(deadline=None)
def test_anything_can_be_read(properties: dict[bytes, bytes | None]) -> None:
    record, dropped = decode(properties)
    assert 0 <= dropped <= len(properties)
    again, none = decode(on_the_wire(encode(record)))
    assert none == 0 and (again.id, again.kind, again.path) == (record.id, record.kind, record.path)


def test_the_order_and_the_keys() -> None:
    record = TxtRecord(
        ID, "comfyui", "0.3.64", "/comfyui", True, "none", "ready", ("image", "video"), "RTX 4090", 24564
    )
    assert list(encode(record).items()) == [
        ("txtvers", "1"), ("id", ID), ("kind", "comfyui"), ("ver", "0.3.64"), ("path", "/comfyui"), ("tls", "1"),
        ("auth", "none"), ("st", "ready"), ("cap", "image,video"), ("gpu", "RTX 4090"), ("vram", "24564"),
    ]  # fmt: skip


def test_what_says_nothing_new_is_left_out() -> None:
    assert encode(TxtRecord()) == {"txtvers": "1"}


def test_what_can_be_learned_later_is_left_out_when_there_is_no_room() -> None:
    def keys(**more: Any) -> set[str]:
        long = TxtRecord(
            "X" * 64, "k" * 32, path="/" + "p" * 99, tls=True, auth="login", state="starting", vram=99, **more
        )
        return {"gpu", "cap", "ver"} & encode(long).keys()

    words = ("image", "video", "audio", "voice", "text")
    assert keys(gpu="short", capabilities=words, version="1.0") == {"gpu", "cap", "ver"}
    assert keys(gpu="g" * 80, capabilities=words, version="1" * 40) == {"cap", "ver"}
    assert keys(gpu="g" * 80, capabilities=tuple(f"{n}-{'c' * 15}" for n in range(8)), version="1" * 40) == {"ver"}
    assert keys(capabilities=tuple(f"{n}-{'c' * 15}" for n in range(8)), version="\U00020000" * 40) == set()


def test_a_value_too_long_for_one_string_is_left_out() -> None:
    assert "gpu" not in encode(TxtRecord(ID, gpu="\U00020000" * 80))


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"id": "two words"}, "id="),
        ({"id": "x" * 65}, "id="),
        ({"kind": "ComfyUI"}, "lower-case"),
        ({"path": "/" + "p" * 100}, "and 100 characters"),
        ({"path": "http://elsewhere/"}, "plain segments"),
        ({"path": "/a/../b"}, "plain segments"),
        ({"auth": "secret"}, "none, key, login"),
        ({"state": "fine"}, "ready, busy, starting"),
        ({"capabilities": ("image", "a b")}, "image,video"),
        ({"vram": 0}, "MiB"),
        ({"vram": -5}, "MiB"),
    ],
)
def test_what_nobody_could_read_is_not_announced(wrong: dict[str, Any], word: str) -> None:
    with pytest.raises(AnnounceError, match=word):
        encode(TxtRecord(**wrong))


def test_a_slash_at_the_end_means_the_same_path() -> None:
    assert encode(TxtRecord(path="/comfyui/"))["path"] == "/comfyui"
    assert decode({b"path": b"/comfyui/"})[0].path == "/comfyui"


def test_what_others_say() -> None:
    record, dropped = decode(
        {b"KIND": b"ComfyUI", b"x-other": b"\xff", b"tls": None, b"vram": b"a lot", b"note": b"hi"}
    )
    assert record == TxtRecord(kind="comfyui")
    assert dropped == 2  # what is no text, and the vram


@pytest.mark.parametrize(
    "path",
    [
        b"//evil.example/",
        b"http://evil.example",
        b"/a?b",
        b"/a#b",
        b"/..",
        b"a",
        b"/a\n",
        b"/cgi-bin/;reboot;",
        b"/%2e%2e/x",
        b"/a/b/c/d/e",
    ],
)
def test_a_path_is_never_more_than_a_path(path: bytes) -> None:
    assert decode({b"path": path}) == (TxtRecord(), 1)


def test_the_service_type_is_a_legal_one() -> None:
    label = txt.SERVICE_TYPE.split(".")[0]
    assert label.startswith("_") and len(label) - 1 <= 15  # RFC 6335 section 5.1
