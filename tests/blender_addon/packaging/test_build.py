"""A whole build of a tiny repository, without a network."""

from __future__ import annotations

import shutil
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

from blender_addon.packaging.archive import read
from blender_addon.packaging.build import build
from blender_addon.packaging.errors import BuildError
from tests.blender_addon.packaging import tiny


def test_a_build_makes_a_zip_of_what_is_shipped(tmp_path: Path) -> None:
    root = tiny.repository(tmp_path / "repository")
    tiny.put(root / "blender_addon" / "__pycache__" / "panel.pyc", "")
    tiny.put(root / "blender_addon" / ".DS_Store", "")
    built = build(root, tmp_path / "dist", tiny.downloads(tmp_path))
    assert built.file == tmp_path / "dist" / "hybridisco-1.2.3.zip"
    assert (built.size, built.sha256) == (built.file.stat().st_size, sha256(built.file.read_bytes()).hexdigest())
    tree = read(built.file)
    assert {place for place in tree if not place.startswith(("vendor/", "licenses/"))} == {
        "__init__.py",
        "LICENSE",
        "blender_manifest.toml",
        "logic/__init__.py",
        "logic/rows.py",
        "wheels/aiohttp-1.0-py3-none-any.whl",
    }
    assert tree["__init__.py"] == b"from .vendor.hybridisco.core.model import SIZE\n"
    assert tree["wheels/aiohttp-1.0-py3-none-any.whl"] == (tmp_path / "aiohttp-1.0-py3-none-any.whl").read_bytes()
    manifest = tomllib.loads(tree["blender_manifest.toml"].decode())
    assert manifest["version"] == "1.2.3"
    assert manifest["wheels"] == ["./wheels/aiohttp-1.0-py3-none-any.whl"]


def test_two_builds_from_two_checkouts_are_the_same_bytes(tmp_path: Path) -> None:
    root = tiny.repository(tmp_path / "one")
    shutil.copytree(root, tmp_path / "another")
    downloads = tiny.downloads(tmp_path)
    one = build(root, tmp_path / "dist1", downloads)
    another = build(tmp_path / "another", tmp_path / "dist2", downloads)
    assert one.file.read_bytes() == another.file.read_bytes()


@pytest.mark.parametrize(
    ("place", "text", "said"),
    [
        ("blender_addon/panel.py", "from hybridisco.faces import cli", "hybridisco.faces is left out"),
        ("blender_addon/panel.py", "from .vendor.hybridisco import formats", "hybridisco.formats is left out"),
        ("blender_addon/panel.py", "import numpy", "numpy is not in the zip"),
        ("blender_addon/panel.py", "import sys; sys.path", "sys.path"),
        ("blender_addon/panel.py", "import hybridisco.core", "panel.py:1: `import hybridisco.core`"),
        ("blender_addon/panel.py", "def", "panel.py: This is no Python"),
        ("blender_addon/notes.doc", "", "notes.doc is of a kind"),
        ("blender_addon/tests/__init__.py", "", "belongs to the development"),
        ("hybridisco/thread.py", "from hybridisco.testing import x", "hybridisco.testing is left out"),
        ("hybridisco/thread.py", 'import_module("hybridisco.core.model")', "'hybridisco.core.model' is imported by"),
        ("hybridisco/_version.py", '__version__ = "1.2.3.dev0"', "version is '1.2.3.dev0'"),
    ],
)
def test_a_zip_that_breaks_a_rule_is_not_left_there(place: str, text: str, said: str, tmp_path: Path) -> None:
    root = tiny.repository(tmp_path / "repository")
    tiny.put(root / place, text)
    with pytest.raises(BuildError) as raised:
        build(root, tmp_path / "dist", tiny.downloads(tmp_path))
    assert said in str(raised.value)
    assert not list((tmp_path / "dist").glob("*")) if (tmp_path / "dist").exists() else True


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    root = tiny.repository(tmp_path / "repository")
    tiny.put(root / "blender_addon" / "panel.py", "import numpy\nfrom hybridisco import faces\n")
    (root / "blender_addon" / "LICENSE").unlink()
    with pytest.raises(BuildError, match=r"(?s)LICENSE is missing.*panel\.py:1.*panel\.py:2"):
        build(root, tmp_path / "dist", tiny.downloads(tmp_path))
