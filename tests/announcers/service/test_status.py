"""The status file, whole and broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from announcers.service.status import StatusError, candidates, find, read
from announcers.service.table import render

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
BACKEND = {
    "id": "abcdefghijklmnopqrstuvwxyz",
    "kind": "comfyui",
    "port": 8188,
    "name": "ComfyUI on gpu-box",
    "state": "announced",
    "status": "ready",
    "reason": None,
    "addresses": ["10.0.0.5"],
    "since": "2026-11-24T06:00:01Z",
}
WAITING = {**BACKEND, "id": None, "state": "waiting", "status": None, "addresses": [], "reason": "nothing listens"}


def document(**more: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "pid": os.getpid(),
        "version": "0.1.0",
        "started": "2026-11-24T06:00:00Z",
        "updated": "2026-11-24T06:29:50Z",
        "host": "gpu-box",
        "interfaces": ["eth0"],
        "backends": [BACKEND, WAITING],
        **more,
    }


def written(folder: Path, content: object, age_s: float = 10) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "announce-status.json"
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    file.write_bytes(data)
    touched = NOW.timestamp() - age_s
    os.utime(file, (touched, touched))
    return file


def dead_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    report = read(written(tmp_path, document()), NOW)
    assert report is not None
    assert report.running
    assert report.announced == 1
    assert (report.host, report.pid, report.interfaces) == ("gpu-box", os.getpid(), ("eth0",))
    first, second = report.backends
    assert (first.kind, first.port, first.state, first.addresses) == ("comfyui", 8188, "announced", ("10.0.0.5",))
    assert first.since == datetime(2026, 11, 24, 6, 0, 1, tzinfo=UTC)
    assert (second.state, second.reason) == ("waiting", "nothing listens")


@pytest.mark.parametrize(
    ("age_s", "words"), [(121, "Nothing was heard of it for 121 s"), (-121, "of 121 s in the future")]
)
def test_an_old_file_is_no_running_sidecar(tmp_path: Path, age_s: float, words: str) -> None:
    report = read(written(tmp_path, document(), age_s), NOW)
    assert report is not None
    assert not report.running
    assert report.announced == 0
    assert words in (report.problem or "")


def test_two_minutes_are_just_fresh(tmp_path: Path) -> None:
    report = read(written(tmp_path, document(updated="2026-11-20T06:00:00Z"), age_s=120), NOW)
    assert report is not None
    assert report.running


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be asked there without harm")
def test_a_process_that_has_ended_runs_no_more(tmp_path: Path) -> None:
    report = read(written(tmp_path, document(pid=dead_process())), NOW)
    assert report is not None
    assert "has ended" in (report.problem or "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no whole status"),
        (json.dumps(document()).encode()[:200], "no whole status"),
        (b"\xff\xfe\x00", "no whole status"),
        (b"[" * 100_000, "no whole status"),
        (b" " * (1024 * 1024 + 1), "more than 1048576 bytes"),
        ([], "no status of a sidecar"),
        ({"backends": []}, "no status of a sidecar"),
        (document(schema=2), "another version of Hybridisco"),
        (document(more=json.loads("[" * 40 + "]" * 40)), "no whole status"),
        (b'{"schema": 1, "pid": 1e999}', "no whole status"),
        (b'{"schema": 1, "backends": [{"port": NaN}]}', "no whole status"),
        (b'{"schema": 1, "pid": ' + b"9" * 5000 + b"}", "no whole status"),
    ],
    ids=[
        "empty",
        "half",
        "binary",
        "deep",
        "huge",
        "list",
        "no schema",
        "newer",
        "too deep",
        "endless",
        "no number",
        "a long number",
    ],
)
def test_what_is_no_status_is_told(tmp_path: Path, content: object, words: str) -> None:
    with pytest.raises(StatusError, match=words):
        read(written(tmp_path, content), NOW)


def test_a_folder_is_no_status(tmp_path: Path) -> None:
    with pytest.raises(StatusError, match="cannot be read"):
        read(tmp_path, NOW)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
@pytest.mark.parametrize(
    "put", [os.mkfifo, lambda file: file.symlink_to("/dev/zero"), lambda file: file.symlink_to(file)]
)
def test_what_is_no_file_is_told_at_once(tmp_path: Path, put: Callable[[Path], None]) -> None:
    file = tmp_path / "announce-status.json"
    put(file)
    with pytest.raises(StatusError, match="cannot be read"):
        read(file, NOW)


@pytest.mark.parametrize(
    "time",
    [
        "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "0001-01-01", "9999-12-31T23:59:59Z", "1e999",
        "2026-13-45T99:99:99Z", "", "T", "2026-11-24T06:00:00+99:99", "9" * 100, 1e300, -1, True, None, [], {},
    ],
)  # fmt: skip
def test_absurd_times_are_shown_or_left_out(tmp_path: Path, time: object) -> None:
    """Whoever can write the file must not be able to break the command that reads it."""
    backend = {**BACKEND, "since": time}
    report = read(written(tmp_path, document(started=time, updated=time, backends=[backend])), NOW)
    assert report is not None
    assert "announces 1 of 1 backend" in render(report, 200)
    json.dumps({**report.document})


@pytest.mark.parametrize("age_s", [1e11, -1e11, 1e12, -1e12, 6e9])
def test_absurd_times_of_the_file_itself(tmp_path: Path, age_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, document())
    real = Path.stat

    def stat(self: Path, **options: bool) -> os.stat_result:
        seen = real(self, **options)
        if self != file:
            return seen
        fields = list(seen)
        fields[8] = int(NOW.timestamp() - age_s)
        return os.stat_result(fields)

    monkeypatch.setattr(Path, "stat", stat)  # a file system may take a time that no calendar has, or may not
    report = read(file, NOW)
    assert report is not None
    assert not report.running
    assert render(report, 80)


def test_absurd_shapes_are_shown_within_the_width_of_names(tmp_path: Path) -> None:
    odd = {
        "kind": "\ud800",
        "name": "\u202ex",
        "port": True,
        "state": "s" * 1000,
        "reason": ["x"],
        "addresses": [[]] * 9,
    }
    report = read(written(tmp_path, document(backends=[odd, [], {}, *[[]] * 5])), NOW)
    assert report is not None
    assert report.backends[0].port is None
    for width in (1, 20, 80, 1000):
        assert render(report, width)


def test_wrong_fields_are_left_out_and_nothing_reaches_the_terminal_raw(tmp_path: Path) -> None:
    odd = {
        "kind": 5,
        "port": "8188",
        "name": "a\x1b[31m\nb" + "x" * 1000,
        "addresses": [1, None, "fd00::1"],
        "since": 3,
    }
    more = {"pid": True, "interfaces": "eth0", "backends": [odd, "no", None, *[BACKEND] * 1000], "host": None}
    report = read(written(tmp_path, document(**more)), NOW)
    assert report is not None
    assert (report.pid, report.interfaces, report.host) == (None, (), "?")
    first = report.backends[0]
    assert (first.kind, first.port, first.state, first.addresses, first.since) == ("?", None, "?", ("fd00::1",), None)
    assert first.name.startswith("a [31m bxxx")
    assert len(first.name) <= 300
    assert len(report.backends) <= 256


def test_a_missing_file_is_no_error(tmp_path: Path) -> None:
    assert read(tmp_path / "none.json", NOW) is None
    assert find((tmp_path / "none.json",), NOW) is None


def test_the_one_that_runs_is_found_before_the_ones_that_ran(tmp_path: Path) -> None:
    old = written(tmp_path / "a", document(), age_s=1000)
    older = written(tmp_path / "b", document(), age_s=2000)
    new = written(tmp_path / "c", document())
    broken = written(tmp_path / "d", b"{")
    found = find((broken, old, new, older), NOW)
    assert found is not None
    assert found.file == new
    found = find((older, old), NOW)
    assert found is not None
    assert found.file == old
    with pytest.raises(StatusError):
        find((broken, old), NOW)


def test_where_it_is_looked_for(tmp_path: Path) -> None:
    places = candidates(tmp_path, {"XDG_RUNTIME_DIR": "/run/user/1000"})
    assert places[0] == tmp_path / "announce-status.json"
    if sys.platform == "linux":
        assert [str(place.parent) for place in places[1:]] == ["/run/user/1000/hybridisco", "/run/hybridisco"]


def test_the_time_zone_is_utc_where_none_is_said(tmp_path: Path) -> None:
    report = read(written(tmp_path, document(started="2026-11-24T06:00:00")), NOW)
    assert report is not None
    assert report.started == NOW - timedelta(minutes=30)
