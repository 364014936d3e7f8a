"""What is said where nothing was found, as far as it takes no more than numbers and words."""

from __future__ import annotations

from hybridisco.core.duration import latency

TYPE_CHECKING = False  # as type checkers read it; importing typing takes some milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

STARTING = "Is it running? A backend that is still starting is found a moment later: hybridisco watch"
ELSEWHERE = "On another machine: hybridisco probe HOST looks at its ports; hybridisco announce there shows it to all."
KNOWN = "You know its address: hybridisco add http://HOST:PORT"
MISSING = "Something should be there: hybridisco doctor says why it is not seen"
CURIOUS = "Only curious: hybridisco demo"


def headline(took_ms: float, what: str = "backend", where: str = "") -> str:
    """Return the first line: that nothing was found, and how long that took."""
    return f"No {what} found{where} in {latency(took_ms)}."


def points(head: str, lines: Iterable[str]) -> str:
    """Return lines below a head; nothing where there is none."""
    below = "".join(f"\n  - {line}" for line in lines)
    return f"{head}:{below}" if below else ""


def probe_place(hosts: Iterable[str], ports: Iterable[tuple[int, int]], kinds: int) -> str:
    """Return where the probe looks: the hosts, the usual ports of so many kinds, and more ports."""
    more = ", ".join(str(low) if low == high else f"{low}–{high}" for low, high in ports)
    return f"{', '.join(hosts) or 'no host'} at the usual ports of {kinds} kinds{f' and {more}' if more else ''}"
