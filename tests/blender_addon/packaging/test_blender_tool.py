"""Where Blender's own tool comes from, and what happens when it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from blender_addon.packaging import blender_tool
from blender_addon.packaging.errors import BuildError
from tests.blender_addon.packaging import tiny

INSIDE = "scripts/addons_core/bl_pkg/cli/blender_ext.py"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BLENDER_EXT", "HYBRIDISCO_TEST_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_the_one_that_is_given_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "given.py"
    monkeypatch.setenv("BLENDER_EXT", str(given))
    with pytest.raises(BuildError, match=r"given\.py"):
        blender_tool.find(tmp_path)
    given.touch()
    assert blender_tool.find(tmp_path) == given


def test_the_newest_of_the_environments_of_the_tests_comes_next(tmp_path: Path) -> None:
    tools = [
        tmp_path / f"bpy-{full}" / "lib" / python / "site-packages" / "bpy" / version / INSIDE
        for full, python, version in (("4.2.23", "python3.11", "4.2"), ("10.0.1", "python3.13", "10.0"))
    ]
    for tool in (*tools, tmp_path / "blender_ext.py"):
        tiny.put(tool, "")
    assert blender_tool.find(tmp_path) == tools[1]


def test_else_it_is_fetched_once_and_only_it_is_kept(index: Path, tmp_path: Path) -> None:
    tag = "cp311-cp311-manylinux_2_28_x86_64"
    wheel = tiny.wheel(index, "bpy", {f"bpy/4.5/{INSIDE}": "print('tool')", "bpy/bpy.so": "large"}, tag)
    pins = tiny.pins(tmp_path / "blender.txt", wheel)
    cache = tmp_path / "cache"
    tool = blender_tool.find(cache, pins)
    assert tool.read_text() == "print('tool')"
    assert list(cache.iterdir()) == [tool]
    wheel.unlink()
    assert blender_tool.find(cache, pins) == tool


def test_a_blender_without_the_tool_is_told_and_nothing_kept(index: Path, tmp_path: Path) -> None:
    wheel = tiny.wheel(index, "bpy", {}, "cp311-cp311-manylinux_2_28_x86_64")
    with pytest.raises(BuildError, match="holds no"):
        blender_tool.find(tmp_path / "cache", tiny.pins(tmp_path / "blender.txt", wheel))
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_cache_is_where_the_user_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert blender_tool.cache_folder() == Path("/home/somebody/.cache/hybridisco-tests")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert blender_tool.cache_folder() == Path("/caches/hybridisco-tests")
    monkeypatch.setenv("HYBRIDISCO_TEST_CACHE", "/mine")
    assert blender_tool.cache_folder() == Path("/mine")


def test_what_the_tool_says_against_a_zip_is_passed_on(tmp_path: Path) -> None:
    tool = tmp_path / "blender_ext.py"
    tool.write_text("import sys; print('wheels are missing'); sys.exit(sys.argv[1:] == ['validate', 'bad.zip'])")
    blender_tool.validate(tool, Path("good.zip"))
    with pytest.raises(BuildError, match="wheels are missing"):
        blender_tool.validate(tool, Path("bad.zip"))
