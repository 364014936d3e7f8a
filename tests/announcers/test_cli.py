"""The command itself: what it refuses, and what its help says."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridisco.faces.cli import main


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own files out of it."""
    monkeypatch.setenv("HYBRIDISCO_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("HYBRIDISCO_STATE", str(tmp_path / "state"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("comfui",), "Did you mean comfyui?"),
        (("comfyui", "--interface", "nope0"), "There is no interface nope0 here"),
        (("comfyui", "--bind", "192.0.2.1"), "192.0.2.1 is not of this machine"),
        (("comfyui", "--bind", "gpu-box"), "--bind takes an address"),
        (("comfyui", "--path", "/a/../b"), "such as /comfyui"),
        (("comfyui", "--port", "0"), "--port"),
    ],
)
def test_wrong_usage_is_told_at_once(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["announce", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_help_tells_the_exit_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["announce", "--help"]) == 0
    said = capsys.readouterr().out
    for status in ("0    stopped by SIGTERM", "130  stopped by Ctrl-C", "2    wrong usage", "3    it could not"):
        assert status in said


def test_a_zone_of_an_address_is_not_held_against_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["announce", "comfyui", "--bind", "fe80::5ead:beef%eth0"]) == 2
    assert "The address fe80::5ead:beef is not of this machine" in capsys.readouterr().err
