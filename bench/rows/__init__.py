"""The rows: every headline of the table of goals, and the same at other sizes."""

from __future__ import annotations

from bench.goal import Row
from bench.rows import changes, identify, known, lan, listing, scan, startup

FAMILIES = {
    "goals": "the promises of the project",
    "sizes": "the same, larger and smaller",
    "beside": "with other mDNS programs on the host",
    "slow": "minutes each; only if asked for, by --family or --only",
}


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
    order = tuple(FAMILIES)
    return sorted(rows, key=lambda row: order.index(row.family))
