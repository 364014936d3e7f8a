"""Blender's own switch for going online is obeyed."""

from __future__ import annotations

from pathlib import Path

import pytest

from .rig.run import Blender

pytestmark = pytest.mark.netns


def test_where_blender_may_not_go_online_nothing_does(blender: Blender, addon: Path) -> None:
    told = blender.run("offline.py", addon)
    assert told["forbidden"] == {"allowed": False, "poll": False}
    assert "online" in told["refused"]["message"].lower()
    assert "preferences" in told["refused"]["message"].lower(), "it says where to allow it"
    for moment in ("quiet", "forbidden again"):
        facts = told[moment]
        assert (facts["threads"], facts["sockets"]) == (facts["clean"]["threads"], facts["clean"]["sockets"])
    assert told["allowed"]["threads"]
    assert told["allowed"]["sockets"]
