"""Other extensions bundle an old zeroconf, and all extensions share one place for their wheels."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.require import require

from .rig import setup
from .rig.extension import old_wheel, renamed_wheel, zipped
from .rig.run import Blender

pytestmark = pytest.mark.netns

NEIGHBOUR = Path(__file__).parent / "data" / "old_neighbour.py"


@pytest.mark.parametrize("name", ["open_stage_zeroconf", "zeroconf"])
@pytest.mark.parametrize("order", ["before ours", "after ours"])
def test_both_work_after_a_restart(blender: Blender, addon: Path, tmp_path: Path, name: str, order: str) -> None:
    require(None if setup.wheels().is_dir() else "run: python -m tests.blender.rig.setup")
    wheel = old_wheel("zeroconf")
    if name != "zeroconf":
        wheel = renamed_wheel(tmp_path, wheel, name)
    neighbour = zipped(tmp_path, NEIGHBOUR, wheels=[wheel, old_wheel("ifaddr")])
    archives = (neighbour, addon) if order == "before ours" else (addon, neighbour)
    installed = blender.run("neighbours.py", *archives)
    restarted = blender.run("neighbours.py")
    for theirs in (installed["installed"]["theirs"], restarted["restarted"]["theirs"]):
        assert theirs["version"] == "0.38.7"
        assert "hybridisco" not in theirs["file"]
