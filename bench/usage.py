"""What a process uses, and whether that grows."""

from __future__ import annotations

import math
import os
import re
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def usage(pid: str) -> tuple[float, int]:
    """Return a process's memory in MiB, and how many descriptors it has open."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    kib = int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # type: ignore[index]
    return kib / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def cpu_s(pid: str) -> float:
    """Return the processor time that a process has used, in seconds."""
    ticks = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


def slope(points: Sequence[tuple[float, float]], unit: str) -> dict[str, Any]:
    """Return the least-squares slope with its standard error, and where it begins and ends.

    "flat" means that zero lies within two standard errors, or that the slope is below 0.05.
    """
    xs, ys = [x for x, _ in points], [y for _, y in points]
    steepness, cut = statistics.linear_regression(xs, ys)
    spread = sum((x - statistics.fmean(xs)) ** 2 for x in xs)
    rest = sum((y - cut - steepness * x) ** 2 for x, y in points)
    error = math.sqrt(rest / max(1, len(points) - 2) / spread)
    return {
        "MiB": [round(ys[0], 1), round(ys[-1], 1), round(max(ys), 1)],
        f"slope, {unit}": f"{steepness:.4f} ± {error:.4f}",
        "flat": steepness <= 2 * error or steepness < 0.05,
    }
