"""The status file: whole at every moment, and never a reason to stop announcing."""

from __future__ import annotations

import json
import logging
import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from announcers.service.job import STATUS_FILE as NAME
from announcers.status import StatusFile
from tests.lab import child
from tests.lab.require import require

FIRST, SECOND = {"schema": 1, "backends": []}, {"schema": 1, "backends": [{"kind": "comfyui"}]}


def read(path: Path) -> object:
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    status = StatusFile(tmp_path / "a" / "b" / NAME)
    status.write(FIRST)
    with status.path.open(encoding="utf-8") as reader:  # who has opened it reads the old one to its end
        status.write(SECOND)
        assert json.load(reader) == FIRST
    assert read(status.path) == SECOND
    assert [file.name for file in status.path.parent.iterdir()] == [NAME], "nothing else is left there"
    assert stat.S_IMODE(status.path.stat().st_mode) == 0o644


def test_what_says_nothing_new_is_not_written(tmp_path: Path) -> None:
    status = StatusFile(tmp_path / NAME)
    status.write(FIRST)
    before = status.path.stat()
    status.write(dict(FIRST))
    after = status.path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_place_that_cannot_be_written_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "run"
    blocked.write_text("a file, where a folder should be")
    status = StatusFile(blocked / NAME)
    with caplog.at_level(logging.DEBUG, "announcers.status"):
        status.write(FIRST)
        status.write(FIRST)  # what could not be written is tried again
        status.write(SECOND)
    assert [record.levelname for record in caplog.records] == ["WARNING", "DEBUG", "DEBUG"]
    assert str(status.path) in caplog.text
    status.touch()
    blocked.unlink()
    status.write(SECOND)
    assert read(status.path) == SECOND
    caplog.clear()
    status.path.unlink()
    status.path.mkdir()
    status.write(FIRST)
    assert [record.levelname for record in caplog.records] == ["WARNING"], "it is news again"


def test_a_failure_leaves_no_drafts_behind(tmp_path: Path) -> None:
    status = StatusFile(tmp_path / NAME)
    status.path.mkdir()
    for number in range(3):
        status.write({"number": number})
    assert [file.name for file in tmp_path.iterdir()] == [NAME]


def test_touching_says_that_it_still_runs(tmp_path: Path) -> None:
    status = StatusFile(tmp_path / NAME)
    status.write(FIRST)
    os.utime(status.path, (1_000_000_000, 1_000_000_000))
    status.touch()
    assert status.path.stat().st_mtime > 1_600_000_000
    assert read(status.path) == FIRST


def test_what_somebody_removed_is_written_again(tmp_path: Path) -> None:
    status = StatusFile(tmp_path / NAME)
    status.write(FIRST)
    status.path.unlink()
    status.write(FIRST)
    assert not status.path.exists(), "it is not looked after at each change"
    status.touch()
    status.write(FIRST)
    assert read(status.path) == FIRST


def test_it_is_taken_away_at_the_end(tmp_path: Path) -> None:
    status = StatusFile(tmp_path / NAME)
    status.remove()  # it was never written
    status.write(FIRST)
    status.remove()
    assert not status.path.exists()
    status.write(FIRST)
    assert read(status.path) == FIRST


def test_one_that_cannot_be_taken_away_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "run"
    blocked.write_text("a file, where a folder should be")
    StatusFile(blocked / NAME).remove()
    StatusFile(tmp_path).remove()
    assert tmp_path.is_dir()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
def test_a_pipe_in_its_place_holds_up_nobody(tmp_path: Path) -> None:
    status = StatusFile(tmp_path / NAME)
    status.write(FIRST)
    status.path.unlink()
    os.mkfifo(status.path)
    status.touch()
    status.remove()
    assert status.path.exists(), "it is not ours"
    status.write(SECOND)
    assert read(status.path) == SECOND


def test_what_somebody_else_has_put_there_stays(tmp_path: Path) -> None:
    status = StatusFile(tmp_path / NAME)
    for absurd in (b"", b"[" * 100_000, b"\xff", b" " * (2 << 20), json.dumps(SECOND).encode()):
        status.write(FIRST)
        status.path.write_bytes(absurd)
        status.remove()
        assert status.path.read_bytes() == absurd


def test_a_full_disk_is_told_and_the_old_file_stays() -> None:
    require(child.missing())

    def work() -> str:
        status = StatusFile(place / NAME)
        status.write(FIRST)
        with (place / "rubbish").open("wb", buffering=0) as rubbish, suppress(OSError):
            while True:
                rubbish.write(b"x" * 1024)
        status.write({"schema": 1, "backends": ["x" * 100_000]})
        return f"{read(status.path) == FIRST} {sorted(path.name for path in place.iterdir())}"

    with child.public_folder() as place:
        assert child.on_disk(place, "size=64k", work) == f"True {sorted([NAME, 'rubbish'])}"
