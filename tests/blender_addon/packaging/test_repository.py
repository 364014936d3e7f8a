"""A repository holds the zip, its lists, and how to use it; an older one gives way only to a whole one."""

from __future__ import annotations

from pathlib import Path

import pytest

from blender_addon.packaging import repository
from blender_addon.packaging.errors import BuildError

TOOL = """
import pathlib, sys
command, option, folder, html = sys.argv[1:]
assert (command, option, html) == ("server-generate", "--repo-dir", "--html")
(zip_,) = pathlib.Path(folder).glob("*.zip")
pathlib.Path(folder, "index.json").write_text(zip_.name)
sys.exit(zip_.read_text() == "bad")
"""


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    file = tmp_path / "blender_ext.py"
    file.write_text(TOOL)
    return file


def test_a_repository_is_made_and_made_anew(tool: Path, tmp_path: Path) -> None:
    folder = tmp_path / "addon-repo"
    for version in ("1", "2"):
        extension = tmp_path / f"hybridisco-{version}.zip"
        extension.write_text("good")
        repository.make(extension, folder, tool)
        assert sorted(path.name for path in folder.iterdir()) == [
            "README.txt",
            f"hybridisco-{version}.zip",
            "index.json",
        ]
        assert (folder / "index.json").read_text() == extension.name
    assert "Add Remote Repository" in (folder / "README.txt").read_text()


def test_a_repository_that_cannot_be_made_leaves_the_older_one(tool: Path, tmp_path: Path) -> None:
    folder = tmp_path / "addon-repo"
    folder.mkdir()
    (folder / "index.json").write_text("older")
    extension = tmp_path / "hybridisco-1.zip"
    extension.write_text("bad")
    with pytest.raises(BuildError):
        repository.make(extension, folder, tool)
    assert [path.name for path in folder.iterdir()] == ["index.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["addon-repo", "blender_ext.py", "hybridisco-1.zip"]
