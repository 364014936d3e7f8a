"""A target that fails when it sees an exclamation mark: for the test of what happens then."""

from __future__ import annotations

from collections.abc import Iterator

WORDS = (b"!",)


def check(data: bytes) -> None:
    """Fail."""
    assert b"!" not in data, "an exclamation mark"


def seeds() -> Iterator[tuple[str, bytes]]:
    """Nothing that makes it fail at once."""
    yield "calm", b"?"
