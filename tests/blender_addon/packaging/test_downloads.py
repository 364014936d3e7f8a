"""Pinned files are fetched once, by the real pip, from a folder instead of the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from blender_addon.packaging.downloads import fetch
from blender_addon.packaging.errors import BuildError
from tests.blender_addon.packaging import tiny

PURE = ("--only-binary=:all:", "--platform=any", "--python-version=3.11", "--implementation=py", "--abi=none")


def test_what_is_pinned_is_fetched_once(index: Path, tmp_path: Path) -> None:
    wheels = [tiny.wheel(index, name, {f"{name}.py": ""}) for name in ("six", "attrs")]
    pins = tiny.pins(tmp_path / "wheels.txt", *wheels)
    files = fetch(pins, tmp_path / "cache", PURE)
    assert [file.read_bytes() for file in files] == [wheel.read_bytes() for wheel in reversed(wheels)]
    for wheel in wheels:
        wheel.unlink()
    assert fetch(pins, tmp_path / "cache", PURE) == files
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [files[0].parent.name]


def test_other_pins_are_fetched_anew(index: Path, tmp_path: Path) -> None:
    six, attrs = (tiny.wheel(index, name, {f"{name}.py": ""}) for name in ("six", "attrs"))
    pins = tmp_path / "wheels.txt"
    (one,) = fetch(tiny.pins(pins, six), tmp_path / "cache", PURE)
    assert len(fetch(tiny.pins(pins, six, attrs), tmp_path / "cache", PURE)) == 2
    assert one.is_file()


def test_a_file_that_is_not_the_pinned_one_is_refused_and_nothing_kept(index: Path, tmp_path: Path) -> None:
    pins = tiny.pins(tmp_path / "wheels.txt", tiny.wheel(index, "six", {"six.py": ""}))
    tiny.wheel(index, "six", {"six.py": "import evil"})
    with pytest.raises(BuildError, match=r"(?s)wheels\.txt .*HASHES"):
        fetch(pins, tmp_path / "cache", PURE)
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_cannot_be_had_is_told_with_what_to_do(index: Path, tmp_path: Path) -> None:
    wheel = tiny.wheel(index, "six", {"six.py": ""})
    pins = tiny.pins(tmp_path / "wheels.txt", wheel)
    wheel.unlink()
    with pytest.raises(BuildError, match=r"(?s)six==1\.0.*look at the connection"):
        fetch(pins, tmp_path / "cache", PURE)


def test_what_a_wheel_requires_has_to_be_pinned_too(index: Path, tmp_path: Path) -> None:
    metadata = {"six-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: six\nVersion: 1.0\nRequires-Dist: attrs"}
    tiny.wheel(index, "attrs", {"attrs.py": ""})
    pins = tiny.pins(tmp_path / "wheels.txt", tiny.wheel(index, "six", metadata))
    with pytest.raises(BuildError, match=r"(?s)pinned.*attrs"):
        fetch(pins, tmp_path / "cache", PURE)


def test_a_source_archive_is_fetched_as_it_is(index: Path, tmp_path: Path) -> None:
    backend = (
        "import pathlib, os\n"
        "def prepare_metadata_for_build_wheel(folder, settings=None):\n"
        "    assert os.environ['SKIP'] == '1'\n"
        "    path = pathlib.Path(folder, 'six-1.0.dist-info')\n"
        "    path.mkdir()\n"
        "    (path / 'METADATA').write_text('Metadata-Version: 2.1\\nName: six\\nVersion: 1.0\\n')\n"
        "    return path.name\n"
    )
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    files = {"backend.py": backend, "pyproject.toml": project, "PKG-INFO": ""}
    sources = tiny.sdist(index, "six", files)
    pins = tiny.pins(tmp_path / "vendored.txt", sources)
    (file,) = fetch(pins, tmp_path / "cache", ("--only-binary=:all:", "--no-binary=six"), {"SKIP": "1"})
    assert file.read_bytes() == sources.read_bytes()


@pytest.mark.parametrize("what", ["changed", "added", "removed"])
def test_kept_files_are_not_trusted(what: str, index: Path, tmp_path: Path) -> None:
    pins = tiny.pins(tmp_path / "wheels.txt", tiny.wheel(index, "six", {"six.py": ""}))
    (file,) = fetch(pins, tmp_path / "cache", PURE)
    if what == "changed":
        file.write_bytes(file.read_bytes() + b"x")
    elif what == "added":
        tiny.wheel(file.parent, "evil", {})
    else:
        file.unlink()
    with pytest.raises(BuildError, match="Remove that folder"):
        fetch(pins, tmp_path / "cache", PURE)
