"""The rows: every headline of the table of goals, and the same at other sizes."""

from __future__ import annotations

from bench.goal import Row
from bench.rows import changes, identify, known, lan, listing, scan, startup


def every() -> list[Row]:
    """Return all rows, those of the goals first, in the order of the table."""
    rows = [
        *scan.rows(),
        *identify.rows(),
        *startup.rows(),
        *listing.rows(),
        *lan.rows(),
        *known.rows(),
        *changes.rows(),
    ]
    order = ("goals", "sizes", "beside", "slow")
    return sorted(rows, key=lambda row: order.index(row.family))
