"""A file that something else may stand in place of is read within bounds, and leaves nothing open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hybridisco.config import regular


def test_no_more_is_read_than_tells_that_there_is_more(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    assert regular.read(file, 10)[0] == b"0123456789"
    assert regular.read(file, 4)[0] == b"01234"
    assert regular.read(file, 10)[1].st_ino == file.stat().st_ino


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not list open files")
def test_what_is_no_file_is_refused_and_leaves_nothing_open(tmp_path: Path) -> None:
    folder, pipe = tmp_path / "folder", tmp_path / "pipe"
    folder.mkdir()
    os.mkfifo(pipe)
    before = len([*Path("/proc/self/fd").iterdir()])
    for _ in range(10):
        with pytest.raises(IsADirectoryError):
            regular.read(folder, 10)
        with pytest.raises(regular.NotAFileError):
            regular.read(pipe, 10)
        with pytest.raises(FileNotFoundError):
            regular.read(tmp_path / "none", 10)
    assert len([*Path("/proc/self/fd").iterdir()]) == before
