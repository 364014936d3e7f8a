"""config, kinds, add, remove: the commands about the user's file."""

from __future__ import annotations

import json
import tomllib
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


def test_ignore_says_whether_it_is_new(cli: Cli, settings: Path) -> None:
    settings.parent.mkdir()
    settings.write_text('[discovery]\nsources = ["manual"]\n')
    assert "known now; it is written down anyway: x" in cli("ignore", "x").err
    assert "already" in cli("ignore", "x").err
    assert "shown again" in cli("ignore", "--undo", "x").err
    assert "was not ignored" in cli("ignore", "--undo", "x").err


def test_ignore_takes_a_url_or_name_of_what_is_there(cli: Cli, settings: Path) -> None:
    settings.parent.mkdir()
    settings.write_text('[discovery]\nsources = ["manual"]\n')
    cli("add", "http://127.0.0.1:9", "--name", "Big", "--kind", "comfyui")
    cli("add", "http://127.0.0.1:10", "--name", "Small", "--kind", "rvc")
    assert "Big (comfyui@localhost:9) is ignored now" in cli("ignore", "big").err
    assert "is ignored now" in cli("ignore", "http://127.0.0.1:10").err
    assert load(settings).ignore == ("comfyui@localhost:9", "rvc@localhost:10")
    assert "shown again" in cli("ignore", "--undo", "Small").err
    assert load(settings).ignore == ("comfyui@localhost:9",)
    wrong = cli("ignore", "no such name")
    assert (wrong.status, wrong.out) == (2, "")
    assert "list --ids" in wrong.err


def test_ignore_asks_which_of_several_is_meant(cli: Cli, settings: Path) -> None:
    settings.parent.mkdir()
    entries = "".join(f'[[services]]\nname = "Box"\nurl = "http://127.0.0.1:{port}"\n' for port in (9, 10))
    settings.write_text('[discovery]\nsources = ["manual"]\n' + entries)
    result = cli("ignore", "box")
    assert result.status == 2
    assert "one of 2 services" in result.err


def test_config_show_tells_of_kinds(cli: Cli, settings: Path, tmp_path: Path) -> None:
    settings.parent.mkdir()
    settings.write_text(
        '[kinds.comfy]\nports = [1, 2]\nhealth = "/up"\n'
        '[kinds.drawbot]\ntitle = "Drä\\"w"\nports = [7777]\ncapabilities = ["image"]\n'
        '[[kinds.drawbot.proofs]]\npath = "/about"\nstatus = [200, 201]\nhas = ["a.0"]\n'
        'equals = { "app.x" = "d", n = 1.5, ok = true }\n'
        '[[kinds.drawbot.proofs]]\npath = "/"\nbody = "\\\\d+"\n'
    )
    shown = tmp_path / "shown.toml"
    shown.write_text(cli("config", "show").out)
    said, again = (tomllib.loads(file.read_text()) for file in (settings, shown))
    assert said["kinds"] == again["kinds"]
    assert load(settings).kinds == load(shown).kinds
    assert "types = {}\n" in shown.read_text()


def test_config_check_warns_of_what_is_probably_not_meant(cli: Cli, settings: Path) -> None:
    settings.parent.mkdir()
    settings.write_text('[mdns]\ninterfaces = ["nope0"]\ntypes = { "_a._tcp" = "comfyuj" }\n')
    result = cli("config", "check")
    assert result.status == 0
    assert "no interface nope0" in result.err
    assert "It has: lo" in result.err
    assert "comfyuj, which is no known kind" in result.err
    assert "Did you mean comfyui?" in result.err


def test_kinds(cli: Cli) -> None:
    table = cli("kinds").out
    assert "comfyui" in table
    assert "8188, 8000" in table
    said = json.loads(cli("kinds", "--json").out)
    assert said["schema"] == 1
    assert {"comfyui", "wan2gp", "litellm", "rvc", "audioldm"} <= {kind["id"] for kind in said["kinds"]}
