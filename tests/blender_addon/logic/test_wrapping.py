"""Sentences in a narrow column."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from blender_addon.logic.wrapping import wrapped


def in_characters(text: str, width: int) -> list[str]:
    return wrapped(text, width, len)


def test_words_stay_whole_where_they_fit() -> None:
    assert in_characters("Nothing listens at this port", 12) == ["Nothing", "listens at", "this port"]
    assert in_characters("  short \n text ", 40) == ["short text"]
    assert in_characters("", 10) == []


def test_a_url_is_broken_where_it_reads_best() -> None:
    assert in_characters("http://10.77.0.2:8188/base", 14) == ["http://10.77.", "0.2:8188/base"]
    assert in_characters("at http://[fe80::1a2b:3c4d%25eth0]:8188", 16) == [
        "at",
        "http://[fe80::",
        "1a2b:3c4d%25eth0",
        "]:8188",
    ]


def test_a_word_without_a_place_to_break_is_cut() -> None:
    assert in_characters("abcdefghij", 4) == ["abcd", "efgh", "ij"]


def test_what_is_much_too_long_ends() -> None:
    lines = in_characters("word " * 1000, 10)
    assert len(lines) == 24 and lines[-1].endswith("…")


@given(st.text(max_size=120), st.integers(0, 40))
def test_every_line_fits_and_nothing_is_lost(text: str, width: int) -> None:
    lines = in_characters(text, width)
    assert all(len(line) <= max(width, 1) for line in lines)
    if len(lines) < 24:
        assert "".join(lines).replace(" ", "") == "".join(text.split())
