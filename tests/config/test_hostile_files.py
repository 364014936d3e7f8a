"""The user's file in every state that a disk, another program or another user can bring about: told, and never lost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from hybridisco.config import edit, load
from hybridisco.config.edit import add_ignore, add_service, create, remove_service
from hybridisco.core.errors import ConfigError
from tests.lab import child
from tests.lab.require import require

MINE = '# mine\n[[services]]\nurl = "http://a:1"\n'
LIMIT_S = 2.0  # whatever it is, nobody is kept waiting


@pytest.fixture(scope="module", autouse=True)
def loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Import what is imported late: another user may not read the packages of these tests."""
    add_service(tmp_path_factory.mktemp("first") / "config.toml", "a:1")
    load(tmp_path_factory.mktemp("second") / "config.toml")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def fifo(file: Path) -> None:
    os.mkfifo(file)


def folder(file: Path) -> None:
    file.mkdir()


def zeros(file: Path) -> None:
    file.symlink_to("/dev/zero")


def huge(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)


def utf16(file: Path) -> None:
    file.write_text(MINE, encoding="utf-16")


def utf16_without_mark(file: Path) -> None:
    file.write_bytes(MINE.encode("utf-16-le"))


def nul(file: Path) -> None:
    file.write_bytes(MINE.encode() + b"\0")


def cut(file: Path) -> None:
    file.write_text(MINE[:-5])


def loop(file: Path) -> None:
    file.symlink_to(file)


def two_links(file: Path) -> None:
    file.symlink_to(file.with_name("other"))
    file.with_name("other").symlink_to(file)


def wrong_types(file: Path) -> None:
    file.write_text("services = 3\nprobe = []\n")


def deep(file: Path) -> None:
    file.write_text("a = " + "[" * 100_000)


def dotted(file: Path) -> None:
    file.write_text(".".join(["a"] * 100_000) + " = 1\n")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (fifo, "not a regular file"),
        (folder, "folder"),
        (zeros, "not a regular file"),
        (huge, "more than 1048576 bytes"),
        (utf16, "not UTF-8. Save it as UTF-8"),
        (utf16_without_mark, "not TOML"),
        (nul, "line 4: This is not TOML"),
        (cut, "line 3: This is not TOML"),
        (loop, "cannot be read"),
        (two_links, "cannot be read"),
        (wrong_types, "line 2: probe"),
        (deep, "nested too deeply"),
        (dotted, "nested too deeply"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_is_no_file_of_ours_is_told_and_left_alone(file: Path, make: Callable[[Path], None], words: str) -> None:
    make(file)
    before = file.lstat()
    started = time.monotonic()
    for change in (
        lambda: load(file),
        lambda: add_service(file, "b:1"),
        lambda: add_ignore(file, "comfyui@b:1"),
        lambda: remove_service(file, "a:1"),
    ):
        with pytest.raises(ConfigError, match=words) as wrong:
            change()
        assert str(file) in str(wrong.value)
        assert len(str(wrong.value)) < 600
    with pytest.raises(ConfigError):
        create(file, "")
    assert time.monotonic() - started < LIMIT_S * 2
    after = file.lstat()
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)
    assert {path.name for path in file.parent.iterdir()} <= {"config.toml", "other"}, "nothing is left over"


def test_a_mark_of_windows_and_its_line_ends_are_read_and_edited(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + MINE.replace("\n", "\r\n").encode())
    add_service(file, "b:1")
    assert [entry.url for entry in load(file).services] == ["http://a:1", "http://b:1"]
    assert b"\n" not in file.read_bytes().replace(b"\r\n", b"")


def test_a_link_that_leads_nowhere_yet_is_followed(file: Path, tmp_path: Path) -> None:
    file.symlink_to(tmp_path / "dotfiles" / "hybridisco.toml")
    assert load(file).services == ()
    add_service(file, "b:1")
    assert file.is_symlink()
    assert "http://b:1" in (tmp_path / "dotfiles" / "hybridisco.toml").read_text()


# -- others who write at the same time --------------------------------------------------------------


@pytest.mark.parametrize("saved", [MINE + "# and more\n", "", None], ids=["changed", "emptied", "removed"])
def test_what_an_editor_saves_meanwhile_is_not_undone(
    file: Path, monkeypatch: pytest.MonkeyPatch, saved: str | None
) -> None:
    """The editor is between our reading and our writing; it knows nothing of our lock."""
    file.write_text(MINE)
    real = edit.os.fsync  # type: ignore[attr-defined]

    def save_too(descriptor: int) -> None:
        real(descriptor)
        if saved is None:
            file.unlink()
        else:
            file.write_text(saved)

    monkeypatch.setattr(edit.os, "fsync", save_too)  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match=r"Another program has changed it just now\..* try again"):
        add_service(file, "b:1")
    assert (file.read_text() if file.exists() else None) == saved
    assert len(list(file.parent.iterdir())) == (saved is not None), "no draft is left over"


def test_a_file_that_comes_while_one_is_made_stays(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = edit.os.fsync  # type: ignore[attr-defined]

    def come(descriptor: int) -> None:
        real(descriptor)
        file.write_text(MINE)

    monkeypatch.setattr(edit.os, "fsync", come)  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="try again"):
        create(file, "# example\n")
    assert file.read_text() == MINE


# -- rights and disks -------------------------------------------------------------------------------


def test_what_may_not_be_read_is_told() -> None:
    require(child.missing())
    with child.public_folder() as place:
        file = place / "config.toml"
        file.write_text(MINE)
        file.chmod(0o600)
        said = child.as_nobody(lambda: load(file))
        assert said.startswith("ConfigError")
        assert "cannot be read (Permission denied)" in said
        said = child.as_nobody(lambda: add_service(file, "b:1"))
        assert "cannot be read (Permission denied)" in said
        assert file.read_text() == MINE


def test_a_file_that_its_owner_made_read_only_stays_as_it_is() -> None:
    require(child.missing())
    with child.public_folder() as place:
        file = place / "config.toml"
        file.write_text(MINE)
        os.chown(file, 65534, 65534)
        file.chmod(0o444)
        said = child.as_nobody(lambda: add_service(file, "b:1"))
        assert "cannot be written (it is read-only), and stays as it is" in said
        assert file.read_text() == MINE


def test_a_folder_that_may_not_be_written() -> None:
    require(child.missing())
    with child.public_folder() as place:
        file = place / "config.toml"
        file.write_text(MINE)
        file.chmod(0o666)
        place.chmod(0o755)
        said = child.as_nobody(lambda: add_service(file, "b:1"))
        assert "cannot be written (Permission denied), and stays as it is. Check its permissions" in said
        assert file.read_text() == MINE


def test_root_does_not_lock_the_user_out_of_his_own_file() -> None:
    """``sudo hybridisco add …`` in the user's home."""
    require(child.missing())
    with child.public_folder() as place:
        file = place / "config.toml"
        file.write_text(MINE)
        os.chown(file, 65534, 65534)
        file.chmod(0o600)
        add_service(file, "b:1")
        assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (65534, 0o600)
        assert child.as_nobody(lambda: len(load(file).services)) == "2"


def test_a_full_disk_costs_nothing() -> None:
    require(child.missing())

    def work() -> str:
        file = place / "config.toml"
        file.write_text(MINE)
        with (place / "rubbish").open("wb", buffering=0) as rubbish, suppress(OSError):
            while True:
                rubbish.write(b"x" * 1024)
        try:
            add_service(file, "b:1")
        except ConfigError as error:
            there = sorted(path.name for path in place.iterdir())
            return f"{error} | {file.read_text() == MINE} | {there}"
        return "no error"

    with child.public_folder() as place:
        said = child.on_disk(place, "size=64k", work)
    assert "No space left on device), and stays as it is. The disk is full: make room on it." in said
    assert said.endswith("| True | ['config.toml', 'rubbish']")


def test_a_read_only_disk() -> None:
    require(child.missing())

    def work() -> str:
        file = place / "config.toml"
        file.write_text(MINE)
        child.remount_read_only(place)
        try:
            add_service(file, "b:1")
        except ConfigError as error:
            return f"{error} | {len(load(file).services)}"
        return "no error"

    with child.public_folder() as place:
        said = child.on_disk(place, "size=64k", work)
    assert "Read-only file system" in said
    assert "set HYBRIDISCO_CONFIG to another file" in said
    assert said.endswith("| 1")
