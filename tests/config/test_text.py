"""The state folder is the same with platformdirs and, as inside Blender, without."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest
from platformdirs import windows
from platformdirs.api import PlatformDirsABC
from platformdirs.macos import MacOS
from platformdirs.unix import Unix

from hybridisco.config import state_folder
from hybridisco.core.errors import ConfigError

SYSTEMS = {"linux": Unix, "freebsd14": Unix, "darwin": MacOS, "win32": windows.Windows}
VARIABLES = ("HYBRIDISCO_STATE", "XDG_STATE_HOME", "LOCALAPPDATA")


@pytest.fixture(autouse=True)
def without_platformdirs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Importing it fails, and nothing in the environment says where the folder is."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    yield
    monkeypatch.undo()


def theirs(system: str) -> Path:
    dirs: PlatformDirsABC = SYSTEMS[system]("hybridisco", appauthor=False)
    return dirs.user_state_path


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"XDG_STATE_HOME": "/var/states"},
        {"XDG_STATE_HOME": "relative"},
        {"XDG_STATE_HOME": ""},
        {"HOME": "/srv/somebody"},
        {"HOME": ""},
        {"HOME": "relative"},
    ],
    ids=str,
)
def test_it_is_what_platformdirs_gives(system: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    if system == "win32":
        monkeypatch.setattr(windows, "_RESOLVE_WIN_FOLDER", windows.get_win_folder_from_env_vars)
        variables = {"LOCALAPPDATA": "/Users/somebody/AppData/Local", **variables}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    expected = theirs(system)
    monkeypatch.setattr(sys, "platform", system)
    assert state_folder() == expected
    assert expected.name == "hybridisco"


def test_the_places_are_the_usual_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("LOCALAPPDATA", "/Users/somebody/AppData/Local")
    found = {}
    for system in SYSTEMS:
        monkeypatch.setattr(sys, "platform", system)
        found[system] = state_folder().as_posix()
    assert found == {
        "linux": "/home/somebody/.local/state/hybridisco",
        "freebsd14": "/home/somebody/.local/state/hybridisco",
        "darwin": "/home/somebody/Library/Application Support/hybridisco",
        "win32": "/Users/somebody/AppData/Local/hybridisco",
    }


def test_windows_without_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/Users/somebody")
    monkeypatch.setattr(sys, "platform", "win32")
    assert state_folder() == Path("/Users/somebody/AppData/Local/hybridisco")


def test_here_it_is_that_of_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    found = state_folder()
    monkeypatch.setitem(sys.modules, "platformdirs", platformdirs)
    assert found == state_folder()


def test_the_variable_goes_before_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYBRIDISCO_STATE", str(tmp_path))
    assert state_folder() == tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="no user there is without a home")
def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def unknown(_: int) -> object:
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for variables in ({"HOME": ""}, {}):
        monkeypatch.delenv("HOME", raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(ConfigError, match="HYBRIDISCO_STATE"):
            state_folder()
