"""Another extension uses ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from .rig.extension import zipped
from .rig.run import Blender

pytestmark = pytest.mark.netns

BORROWER = Path(__file__).parent / "data" / "borrower.py"


def test_another_extension_is_told_and_survives_our_changes(blender: Blender, addon: Path, tmp_path: Path) -> None:
    told = blender.run("borrowing.py", zipped(tmp_path, BORROWER), addon)
    assert told["without"]["state"] is None
    found = told["with"]["row"]
    for moment in ("with", "enabled", "updated"):
        assert set(told[moment]["state"]["services"]) == {"comfyui", "litellm"}, moment
        assert told[moment]["state"]["online comfyui"] == [found["url"]]
    assert told["with"]["state"]["selected"] == found["service_id"]
    assert not (told["disabled"]["state"] or {}).get("services")
    assert told["let go"]["after"] == told["let go"]["before"], "who is switched off is not called"
