"""One broken manifest for each rule."""

from __future__ import annotations

from typing import Any

import pytest

from blender_addon.packaging.manifest_rules import problems

WHEEL = "wheels/aiohttp-1.0-py3-none-any.whl"
GOOD: dict[str, Any] = {
    "schema_version": "1.0.0",
    "id": "hybridisco",
    "version": "0.1.0",
    "name": "Hybridisco",
    "tagline": "Find AI backends (all of them)",
    "maintainer": "Somebody",
    "type": "add-on",
    "blender_version_min": "4.2.0",
    "license": ["SPDX:GPL-3.0-or-later", "SPDX:MIT"],
    "permissions": {"network": "Looks around on the LAN"},
    "wheels": [f"./{WHEEL}"],
}


def test_a_good_manifest_has_no_problem() -> None:
    assert list(problems(GOOD, [WHEEL, "__init__.py"])) == []


@pytest.mark.parametrize("key", sorted(set(GOOD) - {"permissions", "wheels"}))
@pytest.mark.parametrize("empty", [True, False])
def test_what_blender_needs_must_be_there(key: str, empty: bool) -> None:
    manifest = {**GOOD, key: ""} if empty else {name: GOOD[name] for name in GOOD if name != key}
    assert list(problems(manifest, [WHEEL])) == [f"{key} is missing or empty, and Blender needs it."]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"schema_version": "2.0.0"}, "schema_version"),
        ({"id": "Hybridisco"}, "id"),
        ({"id": "hybri-disco"}, "id"),
        ({"id": "hybri__disco"}, "id"),
        ({"id": "_hybridisco"}, "id"),
        ({"version": "0.1"}, "version"),
        ({"version": "0.1.0.dev1"}, "version"),
        ({"version": "01.1.0"}, "version"),
        ({"name": "Hybridisco for Blender"}, "Blender's own"),
        ({"tagline": "Find AI backends."}, "tagline ends in '.'"),
        ({"tagline": " Find AI backends"}, "blanks"),
        ({"tagline": "x" * 65}, "tagline has 65 characters"),
        ({"type": "theme"}, "type"),
        ({"blender_version_min": "4.2"}, "blender_version_min"),
        ({"license": ["GPL-3.0-or-later"]}, "must begin with SPDX:"),
        ({"license": ["SPDX:GPL-3.0-or-later", "MIT SPDX:MIT"]}, "must begin with SPDX:"),
        ({"license": ["SPDX:GPL-3.0-or-latter"]}, "GPL-3.0-or-latter"),
        ({"licence": ["SPDX:MIT"]}, "no key 'licence'"),
        ({"build": {"paths": ["x"]}}, "no key 'build'"),
        ({"permissions": ["network"]}, "must be a table"),
        ({"permissions": {"internet": "Looks around"}}, "no permission 'internet'"),
        ({"permissions": {"network": "Looks around."}}, "permissions.network ends in '.'"),
        ({"permissions": {"network": "x" * 65}}, "permissions.network has 65"),
        ({"permissions": {"network": ""}}, "Say something"),
        (
            {"wheels": [f"./{WHEEL}", "./wheels/gone-1.0-py3-none-any.whl"]},
            "gone-1.0-py3-none-any.whl, which is not in",
        ),
        ({"wheels": []}, f"{WHEEL} is in the zip, but not under wheels"),
        ({"wheels": [f"./{WHEEL}", WHEEL]}, "more than once"),
    ],
)
def test_each_fault_is_told_once(broken: dict[str, Any], said: str) -> None:
    (problem,) = problems({**GOOD, **broken}, [WHEEL])
    assert said in problem


def test_a_wheel_for_one_system_is_refused() -> None:
    wheel = "wheels/aiohttp-1.0-cp311-cp311-win_amd64.whl"
    (problem,) = problems({**GOOD, "wheels": [wheel]}, [wheel])
    assert "for one system only" in problem


@pytest.mark.parametrize("version", ["1.2.3", "0.0.0", "1.2.3-beta.1", "1.2.3+abc"])
def test_semantic_versions_are_taken(version: str) -> None:
    assert list(problems({**GOOD, "version": version}, [WHEEL])) == []
