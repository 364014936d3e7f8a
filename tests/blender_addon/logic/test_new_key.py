"""What a person compares before he accepts a new key."""

from __future__ import annotations

from dataclasses import replace

from blender_addon.logic.headline import moment
from blender_addon.logic.new_key import question
from hybridisco.trust.change import KeyChange
from tests.formats.samples import NOON

CHANGE = KeyChange("box1", "ComfyUI", "key", "SHA256:new", NOON, "SHA256:old", NOON - 86400)


def test_both_fingerprints_are_shown_and_when_to_accept() -> None:
    known, new, when = question(CHANGE, NOON + 60)
    assert (known.heading, known.lines) == ("Known key", ("SHA256:old", f"Seen since {moment(NOON - 86400, NOON)}"))
    assert (new.heading, new.lines) == ("New key", ("SHA256:new", f"Seen since {moment(NOON, NOON)}"))
    assert "set up anew" in when.lines[0] and "cancel" in when.lines[-1]


def test_where_none_is_known_it_says_so() -> None:
    known, *_ = question(replace(CHANGE, known=None, known_since=None), NOON)
    assert known.lines == ("None is known.",)
