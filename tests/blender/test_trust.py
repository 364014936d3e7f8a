"""Signatures are checked inside Blender; a key that changes is told of, and can be accepted there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.app import announced, listed

from .conftest import Studio
from .rig.run import Blender

pytestmark = pytest.mark.netns


def test_a_key_is_known_then_changes_then_is_accepted(blender: Blender, studio: Studio, addon: Path) -> None:
    box = studio.gpu_box
    script = blender.start("trust.py", addon)
    known = script.wait_for("known")
    assert known["details"]["Signed"] == "Known key"
    assert known["icons"] == []
    assert known["libraries"] == {"ecdsa": True, "cryptography": False}
    assert script.wait_for("chosen")["selected"] == known["id"]
    state = blender.home / "state"
    assert known["id"] in (state / "known_keys").read_text(), "and not in the user's own folder"

    studio.sidecar.stop()
    (key,) = box.directory.rglob("key.json")
    key.unlink()
    announced(box, "comfyui", 8188)
    untrusted = script.wait_for("untrusted")
    assert untrusted["id"].startswith(f"{known['id']}~")
    assert untrusted["problem"].startswith("WARNING: ")
    assert untrusted["details"]["Status"] == "Not trusted"
    assert (untrusted["usable"], untrusted["selected"], untrusted["used"]) == ([], None, ["CANCELLED"])
    assert untrusted["chosen"]["comfyui"]["service_id"] == known["id"], "the choice is kept"
    ((old, new),) = untrusted["fingerprints"]
    assert old.startswith("SHA256:") and new.startswith("SHA256:") and old != new

    accepted = script.wait_for("accepted")
    assert (accepted["id"], accepted["selected"], accepted["trouble"]) == (known["id"], known["id"], "")
    script.finish()
    # The command line at the same desk, with the same folder, knows what Blender has accepted.
    (service,) = [
        one for one in listed(studio.desk, env={"HYBRIDISCO_STATE": str(state)})["services"] if one["kind"] == "comfyui"
    ]
    assert (service["id"], service["status"], service["trust"]) == (known["id"], "online", "pinned")
