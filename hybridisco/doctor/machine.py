"""Gathers what machine this is (a container? WSL2?), and its clocks."""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

from hybridisco.doctor.facts import Clock, Machine

_CGROUP = re.compile(r"docker|containerd|kubepods|libpod|lxc")


def gather() -> Machine:
    """Return what kind of machine this is."""
    return Machine(sys.platform, platform.release(), _container())


def _container() -> str | None:
    """Return by what a container is recognised; None outside of one, and where that cannot be seen."""
    for mark in ("/.dockerenv", "/run/.containerenv"):
        if Path(mark).exists():
            return mark
    if os.environ.get("container"):  # noqa: SIM112 - systemd-nspawn and podman write it so
        return f"container={os.environ['container'][:40]}"  # noqa: SIM112
    with suppress(OSError):
        found = _CGROUP.search(Path("/proc/1/cgroup").read_text(encoding="utf-8", errors="replace"))
        if found:
            return f"/proc/1/cgroup names {found[0]}"
    return None


def clocks() -> tuple[float, float]:
    """Return the wall clock and the monotonic one, now."""
    return time.time(), time.monotonic()


def clock(before: tuple[float, float], after: tuple[float, float]) -> Clock:
    """Return both clocks at two moments, and for how long the machine has slept since it was started."""
    slept = None
    if hasattr(time, "CLOCK_BOOTTIME"):
        with suppress(OSError):
            slept = max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC))
    return Clock((before[0], after[0]), (before[1], after[1]), slept)
