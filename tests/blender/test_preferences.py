"""Nonsense in the preferences."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import HIDDEN
from .rig.run import Blender

pytestmark = pytest.mark.netns


def test_bad_values_are_named_and_the_rest_works(blender: Blender, addon: Path) -> None:
    blender.run("bad_values.py", addon, HIDDEN)
    told = blender.run("bad_values.py")
    assert told["started"]["enabled"]
    found = {row["kind"]: row["status"] for row in told["found"]["rows"]}
    assert (found["comfyui"], found["rvc"]) == ("online", "online")
    assert not any("javascript" in row["url"] for row in told["found"]["rows"])
    said = told["found"]["complaints"]
    for place, value in (("hosts", "::::"), ("ports", "banana"), ("manual", "javascript:alert(1)")):
        assert [text for text in said if text.startswith(f"{place}: ") and value in text], (value, said)
    assert told["mended"]["complaints"] == []
