"""The table of what a sidecar announces."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from announcers.service.status import Report, read
from announcers.service.table import render
from tests.announcers.service.test_status import BACKEND, NOW, WAITING, document, written


def report(tmp_path: Path, age_s: float = 10, **more: Any) -> Report:
    found = read(written(tmp_path, document(**more), age_s), NOW)
    assert found is not None
    return found


def test_each_backend_is_a_line_with_the_reason_below(tmp_path: Path) -> None:
    assert render(report(tmp_path)).splitlines() == [
        f"Running on gpu-box (process {os.getpid()}, version 0.1.0) since 2026-11-24 06:00 UTC:",
        "announces 1 of 2 backends on eth0.",
        "",
        "STATE             NAME                KIND     PORT",
        "announced, ready  ComfyUI on gpu-box  comfyui  8188",
        "                  at 10.0.0.5 since 2026-11-24 06:00 UTC",
        "waiting           ComfyUI on gpu-box  comfyui  8188",
        "                  nothing listens",
        "                  since 2026-11-24 06:00 UTC",
    ]


def test_nothing_is_wider_than_the_terminal(tmp_path: Path) -> None:
    long = {
        **BACKEND,
        "name": "絵を描く機械 " * 6,
        "kind": "text-generation-webui",
        "status": "starting",
        "addresses": ["fe80::1234:5678:9abc:def0", "2001:db8:1234:5678:9abc:def0:1234:5678"] * 2,
        "reason": "ComfyUI listens on this machine only (127.0.0.1:8188), so nobody else could use it. " * 2,
    }
    said = render(report(tmp_path, backends=[long, WAITING]), 80)
    assert max(map(cell_len, said.splitlines())) <= 80
    assert "…" in said
    assert "2001:db8:1234:5678:9abc:def0:1234:5678" in said  # an address is there to be copied


def test_one_that_does_not_run_is_said_to_be_so(tmp_path: Path) -> None:
    said = render(report(tmp_path, age_s=5400), 400)
    assert said.startswith("Not running: ")
    assert "Nothing was heard of it for 5400 s" in said


def test_none_found_yet_is_a_sentence(tmp_path: Path) -> None:
    assert render(report(tmp_path, backends=[])).endswith("No backend was found on this machine yet.")
