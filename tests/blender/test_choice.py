"""The chosen service is a service, not an address."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.app import announced

from .conftest import MOCK_LIMIT_S, Studio, mock
from .rig.run import Blender

pytestmark = pytest.mark.netns


def test_a_choice_is_followed_and_missed(blender: Blender, studio: Studio, addon: Path) -> None:
    box = studio.gpu_box
    script = blender.start("choice.py", addon, "10.77.0.99")
    first = script.wait_for("chosen")["row"]
    studio.sidecar.stop()
    box.interfaces[0].add_address("10.77.0.99/24")
    sidecar = announced(box, "comfyui", 8188, "--bind", "10.77.0.99")
    assert script.wait_for("moved")["selected"] == first["service_id"]
    sidecar.stop()
    studio.comfyui.stop()
    gone = script.wait_for("gone")["chosen"]["comfyui"]
    assert gone["service_id"] == first["service_id"], "the choice is kept"
    mock(box, "comfyui", "--host", "0.0.0.0").wait_for_log("Ctrl-C stops", MOCK_LIMIT_S)
    announced(box, "comfyui", 8188)
    assert script.wait_for("back")["chosen"]["comfyui"]["service_id"] == first["service_id"]
    script.finish()
