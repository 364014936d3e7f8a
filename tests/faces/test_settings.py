"""config, kinds, add, remove: the commands about the user's file."""

from __future__ import annotations

import json
from pathlib import Path

from hybridisco.config import load
from tests.faces.conftest import Cli


def test_config_begins_shows_and_checks(cli: Cli, settings: Path) -> None:
    assert "does not exist" in cli("config").out
    assert cli("config", "path").out == f"{settings}\n"
    assert cli("config", "init").out == f"Written: {settings}\n"
    assert "0 services" in cli("config", "check").out
    again = cli("config", "init")
    assert again.status == 2
    assert "exists already" in again.err


def test_config_show_is_toml_that_means_the_same(cli: Cli, settings: Path, tmp_path: Path) -> None:
    settings.parent.mkdir()
    settings.write_text(
        '[discovery]\nignore = ["x"]\n[probe]\nports = [7, "8-9"]\n[mdns]\ntypes = {"_a._tcp" = "aa"}\n'
        '[[services]]\nname = "Grö\\"ße"\nkind = "rvc"\nurl = "a:1"\n'
    )
    shown = tmp_path / "shown.toml"
    shown.write_text(cli("config", "show").out)
    first, second = load(settings), load(shown)
    for field in ("ignore", "probe_ports", "mdns_types", "services", "timeout_s", "sources", "rescan_s"):
        assert getattr(first, field) == getattr(second, field)


def test_a_wrong_file_is_found_and_kept(cli: Cli, settings: Path) -> None:
    settings.parent.mkdir()
    settings.write_text("x = 1\n")
    for args in (("config", "check"), ("add", "a:1"), ("ignore", "x"), ("remove", "a:1"), ("kinds",)):
        result = cli(*args)
        assert result.status == 2
        assert "line 1: x" in result.err
    assert settings.read_text() == "x = 1\n"


def test_add_and_remove_say_what_they_did(cli: Cli, settings: Path) -> None:
    result = cli("add", "http://gpu-box:8188", "--kind", "comfyui")
    assert (result.status, result.out) == (0, "")
    assert "Added http://gpu-box:8188 (comfyui)" in result.err
    assert cli("add", "gpu-box:8188").status == 2
    assert "Removed http://gpu-box:8188" in cli("remove", "comfyui@gpu-box:8188").err
    assert cli("remove", "gpu-box:8188").status == 2


def test_ignore_says_whether_it_is_new(cli: Cli) -> None:
    assert "ignored now" in cli("ignore", "x").err
    assert "already" in cli("ignore", "x").err
    assert "shown again" in cli("ignore", "--undo", "x").err
    assert "was not ignored" in cli("ignore", "--undo", "x").err


def test_kinds(cli: Cli) -> None:
    table = cli("kinds").out
    assert "comfyui" in table
    assert "8188, 8000" in table
    said = json.loads(cli("kinds", "--json").out)
    assert said["schema"] == 1
    assert {"comfyui", "wan2gp", "litellm", "rvc", "audioldm"} <= {kind["id"] for kind in said["kinds"]}
