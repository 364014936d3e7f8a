"""The machine that is measured on, and the programs that it needs."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests.lab.net import lab_available

_PACKAGES = {"nmap": "nmap", "avahi-browse": "avahi-utils", "avahi-daemon": "avahi-daemon", "cc": "gcc libc6-dev"}
_PACKAGES |= {"dbus-daemon": "dbus", "stdbuf": "coreutils"}
_INSTALL_LIMIT_S = 300


def unfit() -> str | None:
    """Return why nothing can be measured here, and what to do; None when it can."""
    if sys.platform == "linux" and os.geteuid() != 0:
        return "network namespaces need root; run it with sudo"
    return lab_available()


def missing(programs: Iterable[str]) -> str | None:
    """Return which programs are not there, or None when all are. As root on Debian they are installed."""
    lacking = [name for name in programs if shutil.which(name) is None]
    if lacking and os.geteuid() == 0 and shutil.which("apt-get"):
        packages = " ".join(_PACKAGES[name] for name in lacking).split()
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            argv = ["apt-get", "-qq", *command]
            subprocess.run(argv, env=quiet, capture_output=True, timeout=_INSTALL_LIMIT_S, check=False)
        lacking = [name for name in lacking if shutil.which(name) is None]
    if not lacking:
        return None
    return f"{', '.join(lacking)} not installed (Debian: {' '.join(_PACKAGES[name] for name in lacking)})"


def facts() -> dict[str, str]:
    """Return what a reader must know of this machine to make anything of the times."""
    libraries = " ".join(f"{name} {importlib.metadata.version(name)}" for name in ("zeroconf", "aiohttp", "websockets"))
    return {
        "Measured": time.strftime("%Y-%m-%d %H:%M", time.gmtime()) + " UTC",
        "CPU": f"{os.cpu_count()} × {_processor()}, load {os.getloadavg()[0]:.1f} before",
        "Linux": platform.release(),
        "Python": f"{platform.python_version()}, {libraries}",
    }


def _processor() -> str:
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        found = None
    return " ".join(found[1].split()) if found else platform.machine()
