"""The same files make the same zip."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path

import pytest

from blender_addon.packaging.archive import read, write
from blender_addon.packaging.errors import BuildError

TREE = {"b/ü.py": b"x = 1\n" * 100, "a.py": b"", "B.whl": os.urandom(1000)}


@pytest.fixture(autouse=True)
def no_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "new" / "x.zip"
    write(TREE, file)
    assert read(file) == TREE
    assert [path.name for path in file.parent.iterdir()] == ["x.zip"]


def test_order_and_time_and_umask_and_what_was_there_make_no_difference(tmp_path: Path) -> None:
    one, other = tmp_path / "one.zip", tmp_path / "other.zip"
    write(TREE, one)
    other.write_bytes(b"an older build")
    old = os.umask(0o077)
    try:
        write(dict(reversed(TREE.items())), other)
    finally:
        os.umask(old)
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert archive.namelist() == sorted(TREE)
        for info in archive.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.external_attr == 0o100644 << 16


@pytest.mark.parametrize(("given", "date"), [("1700000000", (2023, 11, 14, 22, 13, 20)), ("0", (1980, 1, 1, 0, 0, 0))])
def test_the_time_can_be_given(
    given: str, date: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", given)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    write(TREE, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert {info.date_time for info in archive.infolist()} == {date}


@pytest.mark.parametrize("given", ["", "yesterday", "1e9", "9" * 30])
def test_a_time_that_is_none_is_an_error(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", given)
    with pytest.raises(BuildError, match="SOURCE_DATE_EPOCH"):
        write(TREE, tmp_path / "x.zip")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_zip_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "x.zip"
    with pytest.raises(BuildError, match=r"x\.zip"):
        read(file)
    file.write_bytes(b"not a zip")
    with pytest.raises(BuildError, match=r"x\.zip"):
        read(file)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_an_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.py", "1")
        archive.writestr("a.py", "2")
    with pytest.raises(BuildError, match="twice"):
        read(tmp_path / "x.zip")
