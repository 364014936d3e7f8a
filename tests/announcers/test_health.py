"""When a backend is announced: the rule as a table."""

from __future__ import annotations

import pytest

from announcers.health import Health, Phase


@pytest.mark.parametrize(
    ("checks", "phases"),
    [
        # "+" is a pass, "-" a failure; W waiting, A announced, X withdrawn.
        ("+", "A"),
        ("-", "W"),
        ("---+", "WWWA"),
        ("+--+", "AAAA"),
        ("+---", "AAAX"),
        ("+--+--+---", "AAAAAAAAAX"),
        ("+---+", "AAAXX"),
        ("+---++", "AAAXXA"),
        ("+---+-+-++", "AAAXXXXXXA"),
        ("+---++---", "AAAXXAAAX"),
        ("-+-----", "WAAAXXX"),
    ],
)
def test_three_failures_withdraw_and_two_passes_return(checks: str, phases: str) -> None:
    health = Health()
    assert not health.announced
    letters = {Phase.WAITING: "W", Phase.ANNOUNCED: "A", Phase.WITHDRAWN: "X"}
    seen = ""
    for check in checks:
        health = health.after(check == "+")
        seen += letters[health.phase]
        assert health.announced is (health.phase is Phase.ANNOUNCED)
    assert seen == phases
