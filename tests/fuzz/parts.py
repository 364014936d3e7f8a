"""One input, several pieces of octets: what a fuzzer may cut and paste, and a person may read in a hex dump.

Not atheris' FuzzedDataProvider: its format cannot be written, so that nothing real could be a seed, and it cannot be
read without atheris, so that the corpus could not be played in an ordinary test run.
"""

from __future__ import annotations

SEPARATOR = b"\n~~\n"


def split(data: bytes, limit: int) -> list[bytes]:
    """Return at most so many pieces; the last is not split any more."""
    return data.split(SEPARATOR, limit - 1)


def join(*pieces: bytes) -> bytes:
    """Return the input that splits into ``pieces``."""
    return SEPARATOR.join(pieces)
