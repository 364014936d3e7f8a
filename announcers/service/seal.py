"""Whether a file that we wrote is still as we wrote it: it carries a hash of itself in a comment."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum

_DIGITS = 16  # of SHA-256: it guards against forgetting, not against malice
_EMPTY = "0" * _DIGITS
_MARK = re.compile(rf"Written by `hybridisco announce install`[^\n]*; seal ([0-9a-f]{{{_DIGITS}}})")


class Origin(StrEnum):
    """Who made the file that is there."""

    NOBODY = "nobody"
    OURS = "ours"
    EDITED = "edited"
    FOREIGN = "foreign"


def mark(version: str) -> str:
    """Return the words for a comment in a file that is then given to :func:`seal`."""
    return f"Written by `hybridisco announce install` {version}; seal {_EMPTY}"


def seal(text: str) -> str:
    """Return ``text``, which has a :func:`mark`, with the hash of itself in it."""
    return _MARK.sub(lambda found: found[0].replace(_EMPTY, _digest(text)), text, count=1)


def origin(text: str | None) -> Origin:
    """Return who made a file with this text; ``None`` stands for no file."""
    if text is None:
        return Origin.NOBODY
    found = _MARK.search(text)
    if found is None:
        return Origin.FOREIGN
    blank = text[: found.start(1)] + _EMPTY + text[found.end(1) :]
    return Origin.OURS if _digest(blank) == found[1] else Origin.EDITED


def _digest(text: str) -> str:
    plain = text.replace("\r\n", "\n")
    return hashlib.sha256(plain.encode()).hexdigest()[:_DIGITS]
