"""The command, as far as it goes without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from blender_addon.packaging import __main__ as command
from blender_addon.packaging.downloads import Downloads
from tests.blender_addon.packaging import tiny

TOOL = "import sys, pathlib\nif sys.argv[1] == 'validate': sys.exit(not pathlib.Path(sys.argv[2]).is_file())\n"


@pytest.fixture(autouse=True)
def tiny_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a tiny repository in the place of ours, and its archives in the place of what is downloaded."""
    archives = tiny.downloads(tmp_path / "archives")
    tiny.put(tmp_path / "blender_ext.py", TOOL)

    def downloads(cache: Path) -> Downloads:
        return archives

    monkeypatch.setattr(command, "ROOT", tiny.repository(tmp_path / "repository"))
    monkeypatch.setattr(command, "downloads", downloads)
    monkeypatch.setenv("BLENDER_EXT", str(tmp_path / "blender_ext.py"))


def test_it_builds_and_says_what(tmp_path: Path) -> None:
    result = CliRunner().invoke(command.main, ["--out", str(tmp_path / "dist")])
    assert result.exit_code == 0
    assert str(tmp_path / "dist" / "hybridisco-1.2.3.zip") in result.output
    assert "sha256" in result.output
    assert "nothing against it" in result.output


def test_it_does_without_blenders_check_where_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLENDER_EXT", "/nowhere")
    arguments = ["build", "--out", str(tmp_path / "dist")]
    assert CliRunner().invoke(command.main, [*arguments, "--no-blender-check"]).exit_code == 0
    result = CliRunner().invoke(command.main, arguments)
    assert (result.exit_code, "BLENDER_EXT" in result.output) == (3, True)


def test_it_makes_a_repository_and_says_how_to_use_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(command.main, ["repo", "--out", str(tmp_path / "dist")])
    assert result.exit_code == 0
    assert "Add Remote Repository" in result.output
    assert (tmp_path / "dist" / "addon-repo" / "hybridisco-1.2.3.zip").is_file()
