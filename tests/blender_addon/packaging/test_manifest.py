"""The template filled in."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from blender_addon.packaging.contents import HERE, MANIFEST, ROOT
from blender_addon.packaging.errors import BuildError
from blender_addon.packaging.manifest import filled_in, version
from blender_addon.packaging.manifest_rules import problems
from hybridisco import __version__

TEMPLATE = (HERE.parent / MANIFEST).read_text(encoding="utf-8")


def test_our_manifest_keeps_to_the_rules() -> None:
    text = filled_in(TEMPLATE, __version__, ["b-1-py3-none-any.whl", "a-1-py3-none-any.whl"])
    manifest = tomllib.loads(text)
    assert list(problems(manifest, ["wheels/a-1-py3-none-any.whl", "wheels/b-1-py3-none-any.whl"])) == []
    assert manifest["version"] == __version__
    assert manifest["wheels"] == ["./wheels/a-1-py3-none-any.whl", "./wheels/b-1-py3-none-any.whl"]
    assert manifest["id"] == "hybridisco"
    assert set(manifest["permissions"]) == {"network", "clipboard", "files"}


@pytest.mark.parametrize("mark", ["# version: filled in by the build", "# wheels: filled in by the build"])
def test_a_template_without_a_place_for_them_is_an_error(mark: str) -> None:
    with pytest.raises(BuildError, match=mark):
        filled_in(TEMPLATE.replace(mark, ""), "1.2.3", [])
    with pytest.raises(BuildError, match=r"2 times"):
        filled_in(f"{mark}\n{TEMPLATE}", "1.2.3", [])


def test_the_version_is_hybridiscos() -> None:
    assert version(ROOT) == __version__


@pytest.mark.parametrize("text", [None, "", "version = '1'\n"])
def test_a_version_that_is_not_found_is_an_error(text: str | None, tmp_path: Path) -> None:
    (tmp_path / "hybridisco").mkdir()
    if text is not None:
        (tmp_path / "hybridisco" / "_version.py").write_text(text)
    with pytest.raises(BuildError, match="__version__"):
        version(tmp_path)
