"""Milliseconds in words."""

from __future__ import annotations


def latency(ms: float | None) -> str:
    """Return a duration with as many digits as mean something, or nothing if it is not known."""
    if ms is None:
        return ""
    return f"{ms:.1f} ms" if ms < 9.95 else f"{ms:.0f} ms" if ms < 999.5 else f"{ms / 1000:.1f} s"
