"""The rules applied to a zip as it lies on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from blender_addon.packaging.archive import read, write
from blender_addon.packaging.build import build
from blender_addon.packaging.contents import MANIFEST
from blender_addon.packaging.errors import BuildError
from blender_addon.packaging.rules import check
from tests.blender_addon.packaging import tiny


@pytest.fixture
def built(tmp_path: Path) -> Path:
    return build(tiny.repository(tmp_path / "repository"), tmp_path, tiny.downloads(tmp_path / "archives")).file


def test_a_zip_that_is_all_right_passes(built: Path) -> None:
    check(built)


@pytest.mark.parametrize(
    ("place", "content", "said"),
    [
        (MANIFEST, b"id = ", "blender_manifest.toml is no TOML in UTF-8"),
        (MANIFEST, b"\xff", "blender_manifest.toml is no TOML in UTF-8"),
        (MANIFEST, b"id = 'x'", "blender_manifest.toml: version is missing"),
        ("wheels/extra-1-py3-none-any.whl", None, "extra-1-py3-none-any.whl is in the zip, but not under wheels"),
        ("panel.py", b"import hybridisco", "panel.py:1: hybridisco is still imported by its absolute name"),
        ("vendor/zeroconf/a.py", b"import ifaddr", "vendor/zeroconf/a.py:1: ifaddr is still imported"),
        ("panel.py", b"import sys; sys.modules", "panel.py:1: This uses sys.modules"),
        ("panel.pyc", b"", "panel.pyc is a kind of file"),
    ],
)
def test_a_zip_that_was_tampered_with_is_refused(place: str, content: bytes | None, said: str, built: Path) -> None:
    tree = read(built)
    wheel = next(tree[name] for name in tree if name.endswith(".whl"))
    write({**tree, place: wheel if content is None else content}, built)
    with pytest.raises(BuildError, match=r"must not be given to anybody") as raised:
        check(built)
    assert said in str(raised.value)
