"""Keys for tests: made from a number, so that they can be compared."""

from __future__ import annotations

import hashlib

from hybridisco.core.trust import encoded
from hybridisco.trust.store import Known

SINCE = 1795510800.0  # 2026-11-24T09:00:00Z


def key(number: int) -> str:
    """Return what looks like a public key."""
    return encoded(hashlib.sha256(str(number).encode()).digest())


def known(number: int, *, of: int | None = None, name: str | None = None) -> Known:
    """Return key ``number``, of the service with this or another number."""
    which = number if of is None else of
    return Known(f"box{which}", key(number), SINCE, f"Box {which}" if name is None else name)


def line(number: int, *, of: int | None = None) -> str:
    """Return the line that says :func:`known`."""
    entry = known(number, of=of)
    return f"{entry.id} ed25519 {entry.key} 2026-11-24T09:00:00Z {entry.name}\n"
