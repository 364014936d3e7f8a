"""The self-hosted extension repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from .rig.run import Blender

pytestmark = pytest.mark.netns


def test_it_is_installed_from_our_repository(blender: Blender, addon: Path) -> None:
    index = addon.parent / "addon-repo" / "index.json"
    assert index.is_file(), "make addon-repo makes it"
    told = blender.run("repository.py", index)
    assert "blender_manifest.toml" in told["installed"]["files"]
    assert told["enabled"]["enabled"] == ["bl_ext.hybridisco_repo.hybridisco"]
