"""One URL a line."""

from __future__ import annotations

from hybridisco.formats import render
from tests.formats.samples import GONE, TYPICAL


def test_urls_are_those_that_answer() -> None:
    assert render("urls", TYPICAL).splitlines() == [s.url for s in TYPICAL if s is not GONE]
