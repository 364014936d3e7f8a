"""What the zip as a whole must keep to."""

from __future__ import annotations

import pytest

from blender_addon.packaging.contents import SIZE_LIMIT, Tree
from blender_addon.packaging.zip_rules import problems

GOOD: Tree = {
    "blender_manifest.toml": b"x",
    "__init__.py": b"x",
    "LICENSE": b"x",
    "licenses/README.txt": b"x",
    "licenses/hybridisco.txt": b"x",
    "licenses/zeroconf.txt": b"x",
    "licenses/ifaddr.txt": b"x",
    "icons/comfyui.png": b"x",
    "vendor/zeroconf/py.typed": b"",
    "wheels/a-1-py3-none-any.whl": b"x",
}


def test_a_good_zip_has_no_problem() -> None:
    assert list(problems(GOOD, SIZE_LIMIT)) == []


def test_a_zip_that_is_too_large_is_refused() -> None:
    (problem,) = problems(GOOD, SIZE_LIMIT + 10_000)
    assert "1.51 MB, more than 1.5 MB" in problem


@pytest.mark.parametrize("place", ["LICENSE", "licenses/zeroconf.txt", "__init__.py", "blender_manifest.toml"])
@pytest.mark.parametrize("empty", [True, False])
def test_what_is_needed_must_be_there(place: str, empty: bool) -> None:
    tree = {**GOOD, place: b""} if empty else {name: GOOD[name] for name in GOOD if name != place}
    assert list(problems(tree, 1)) == [f"{place} is missing or empty."]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("logic/__pycache__/rows.py", "development"),
        ("packaging/build.py", "development"),
        ("tests/__init__.py", "development"),
        ("vendor/ifaddr/test_ifaddr.py", "development"),
        ("conftest.py", "development"),
        ("rows.pyc", "kind of file"),
        ("vendor/zeroconf/_cache.pxd", "kind of file"),
        ("vendor/zeroconf/_cache.so", "kind of file"),
        ("README.md", "kind of file"),
        ("logic/LICENSE", "kind of file"),
        (".DS_Store", "hidden"),
        ("logic/.git/a.py", "hidden"),
        ("../a.py", "unpack"),
        ("/a.py", "unpack"),
        ("a\\b.py", "unpack"),
        ("grün.py", "unpack"),
        ("logic/b-1-py3-none-any.whl", "wrong folder"),
        ("wheels/a.py", "wrong folder"),
        ("License", "small and capital"),
    ],
)
def test_what_does_not_belong_there_is_named(place: str, said: str) -> None:
    told = list(problems({**GOOD, place: b"x"}, 1))
    assert any(said in problem and place.casefold() in problem.casefold() for problem in told)
