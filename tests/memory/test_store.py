"""The file: several processes share it, and nothing that is wrong with it is an error of the search."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hybridisco.memory.store import Memory, default_file
from tests.memory.samples import entry
from tests.say import NOW

WRITER = """
import sys
from pathlib import Path
from hybridisco.memory.store import Memory
from tests.memory.samples import entry
from tests.say import NOW
memory = Memory(Path(sys.argv[1]))
memory.load()
for number in range(10):
    memory.update([entry(f"{sys.argv[2]}-{number}", f"10.0.{sys.argv[2]}.{number}")], (), NOW)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "last_known.json"


def refs(file: Path) -> list[str]:
    return [each.ref for each in Memory(file).load()]


def test_it_is_in_the_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYBRIDISCO_STATE", str(tmp_path))
    assert default_file() == tmp_path / "last_known.json"


def test_what_one_wrote_another_knows(file: Path) -> None:
    Memory(file).update([entry("X")], (), NOW)
    assert Memory(file).load() == (entry("X"),)
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_nothing_is_written_that_is_no_news(file: Path) -> None:
    memory = Memory(file)
    memory.update([entry("X")], (), NOW)
    before = file.stat()
    assert not memory.is_news([entry("X")], (), NOW + 60)
    memory.update([entry("X")], (), NOW + 60)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert memory.is_news([entry("Y", "10.0.0.2")], (), NOW)


def test_nothing_is_made_where_nothing_is_known(file: Path) -> None:
    memory = Memory(file)
    memory.update((), (), NOW)
    assert memory.load() == ()
    assert not file.exists()


def test_processes_lose_nothing_of_each_other(file: Path) -> None:
    with ThreadPoolExecutor(3) as threads:
        argv = [[sys.executable, "-c", WRITER, str(file), str(number)] for number in range(3)]
        list(threads.map(lambda each: subprocess.run(each, check=True, timeout=30), argv))
    assert len(refs(file)) == 30


@pytest.mark.parametrize("data", [b"", b"{", b"\0" * 100, b'{"version": 1, "services": [7]}', b" " * (1024 * 1024 + 9)])
def test_a_damaged_file_is_left_behind(file: Path, data: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(data)
    memory = Memory(file)
    assert memory.load() == ()
    memory.update([entry("X")], (), NOW)
    assert refs(file) == ["X"]


def test_the_file_of_a_newer_version_is_left_alone(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"version": 2, "services": []}', "utf-8")
    Memory(file).update([entry("X")], (), NOW)
    assert json.loads(file.read_text("utf-8"))["version"] == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_what_is_no_file_does_not_keep_us_waiting(file: Path) -> None:
    file.parent.mkdir()
    os.mkfifo(file)
    assert Memory(file).load() == ()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not list open files")
def test_a_folder_in_its_place_leaves_no_file_open(file: Path) -> None:
    file.mkdir(parents=True)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(10):
        assert Memory(file).load() == ()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_state_folder_that_is_none_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    memory = Memory(tmp_path / "file" / "last_known.json")
    assert memory.load() == ()
    memory.update([entry("X")], (), NOW)


def test_without_a_place_nothing_is_kept() -> None:
    memory = Memory(None)
    memory.update([entry("X")], (), NOW)
    assert memory.load() == ()
    assert not memory.is_news([entry("X")], (), NOW)
