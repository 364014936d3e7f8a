"""One writer at a time, whoever it is; and nobody waits for ever."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hybridisco.config import load
from hybridisco.config.edit import add_ignore, add_service, remove_service
from hybridisco.config.lock import alone
from hybridisco.core.errors import ConfigError

ADD = """
import sys
from pathlib import Path
from hybridisco.config.edit import add_service
sys.stdin.readline()
add_service(Path(sys.argv[1]), sys.argv[2])
"""


def test_programs_that_add_at_once_all_succeed(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "config.toml"
    urls = [f"http://box:{port}" for port in range(1, 9)]
    started = [
        subprocess.Popen([sys.executable, "-c", ADD, str(file), url], stdin=subprocess.PIPE, text=True) for url in urls
    ]
    for one in started:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    for one in started:
        one.communicate(timeout=20)
        assert one.returncode == 0
    assert sorted(entry.url for entry in load(file).services) == urls
    assert [path.name for path in file.parent.iterdir()] == ["config.toml"]


def test_threads_that_change_different_things_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    add_service(file, "old:1")
    with ThreadPoolExecutor(9) as pool:
        for port in range(1, 5):
            pool.submit(add_service, file, f"new:{port}")
            pool.submit(add_ignore, file, f"comfyui@box:{port}")
        pool.submit(remove_service, file, "old:1")
    assert sorted(entry.url for entry in load(file).services) == [f"http://new:{port}" for port in range(1, 5)]
    assert len(load(file).ignore) == 4


def test_a_writer_that_does_not_end_is_not_waited_for_long(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    with alone(file):
        for path in (file, link):
            with pytest.raises(ConfigError, match="Another program is changing it"), alone(path, limit_s=0.05):
                pass
    with alone(file, limit_s=0.05):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["link.toml"]


def test_what_a_dead_program_left_holds_nobody(tmp_path: Path) -> None:
    (tmp_path / ".config.toml.lock").write_text("")
    add_service(tmp_path / "config.toml", "a:1")
    assert len(load(tmp_path / "config.toml").services) == 1


def test_where_no_lock_can_be_made_it_goes_on(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for file in (tmp_path / "missing" / "config.toml", loop, Path("a\0b"), Path("/")):
        with alone(file):
            pass
