"""Two days with the extension, in every Blender: from the drop into the window until it is thrown out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .conftest import HIDDEN, VERSIONS, blender_at, open_studio
from .rig.run import Facts, Script

pytestmark = pytest.mark.netns


@dataclass(frozen=True, slots=True)
class Days:
    """What was told on the first and on the second day."""

    first: Script
    second: Script


@pytest.fixture(scope="module", params=VERSIONS)
def days(request: pytest.FixtureRequest, addon: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    """Both days were lived through."""
    home = tmp_path_factory.mktemp("blender")
    with open_studio() as studio:
        blender = blender_at(studio.desk, request.param, home)
        first = blender.run("first_day.py", addon, home / "scene.blend", HIDDEN)
        yield Days(first, blender.run("second_day.py"))


def by_kind(rows: list[Facts]) -> dict[str, Facts]:
    """The rows, each under its kind: there is one a kind."""
    found = {row["kind"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def names(rows: list[Facts]) -> list[tuple[Any, ...]]:
    """What of a row does not change from look to look."""
    return sorted((row["service_id"], row["kind"], row["title"], row["url"]) for row in rows)


def test_it_is_installed_whole_and_loads_nothing_at_start(days: Days) -> None:
    installed = days.first["installed"]
    files = set(installed["files"])
    assert {"__init__.py", "blender_manifest.toml"} <= files
    assert any("zeroconf" in name for name in files)
    assert installed["loaded"] == []
    assert "HYBRIDISCO_PT_services" in installed["traces"]["classes"]
    assert "movie_director.discover_services" in installed["traces"]["operators"]
    assert installed["traces"]["threads"] == []


def test_backends_of_this_machine_and_of_another_are_found(days: Days) -> None:
    found = by_kind(days.first["found"]["rows"])
    assert {"comfyui", "litellm"} == set(found)
    assert (found["comfyui"]["status"], found["litellm"]["status"]) == ("online", "online")
    assert found["comfyui"]["host"].startswith("gpu-box")
    assert "10.77.0.1:8188" in found["comfyui"]["url"]
    assert "127.0.0.1" in found["litellm"]["url"]
    assert found["comfyui"]["version"]
    assert not any(row["last_known"] for row in found.values())


def test_blender_has_nothing_against_it(days: Days) -> None:
    assert days.first["found"]["warnings"] == {}


def test_a_choice_is_made_and_kept(days: Days) -> None:
    far = days.first["chosen"]["far"]
    assert days.first["chosen"]["chosen"]["comfyui"]["service_id"] == far["service_id"]
    assert days.first["added"]["selected"] == far["service_id"]
    assert days.second["restored"]["chosen"]["comfyui"]["service_id"] == far["service_id"]
    assert days.second["checked"]["selected"] == far["service_id"]


@pytest.mark.parametrize("event", ["new file", "opened file"])
def test_opening_a_file_changes_nothing(days: Days, event: str) -> None:
    told = days.first[event]
    assert told["after"]
    assert names(told["after"]) == names(told["before"])


def test_it_goes_on_after_files_were_opened(days: Days) -> None:
    added = by_kind(days.first["added"]["rows"])
    assert added["rvc"]["url"].rstrip("/") == HIDDEN
    assert added["rvc"]["title"] == "The voice"
    assert set(added) == {"comfyui", "litellm", "rvc"}


def test_after_a_restart_the_last_known_rows_are_there_and_say_so(days: Days) -> None:
    restored = days.second["restored"]
    assert restored["enabled"]
    assert restored["manual"] == 1
    assert names(restored["rows"]) == names(days.first["saved"]["rows"])
    assert all(row["last_known"] for row in restored["rows"])


def test_they_are_checked_then(days: Days) -> None:
    checked = by_kind(days.second["checked"]["rows"])
    assert set(checked) == {"comfyui", "litellm", "rvc"}
    assert {row["status"] for row in checked.values()} == {"online"}
    assert not any(row["last_known"] for row in checked.values())


def test_switched_off_five_times_it_leaves_nothing_each_time(days: Days) -> None:
    rounds = days.second.all_of("round")
    assert len(rounds) == 5
    for told in rounds:
        assert told["busy"]["threads"], "nothing was running: the round proves nothing"
        assert told["busy"]["timers"]
        assert told["after"] == told["clean"]
        assert told["gone_s"] <= 2.0


def test_thrown_out_it_is_gone(days: Days) -> None:
    told = days.second["uninstalled"]
    assert not told["there"]
    assert told["after"] == told["clean"]
