"""How the mDNS source says how it is doing."""

from __future__ import annotations

import pytest

from hybridisco.sources import mdns, table
from tests.sources.test_table import MALLORY, flood


def test_what_is_beyond_the_cap_is_counted_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "INSTANCE_LIMIT", 3)
    monkeypatch.setattr(mdns, "INSTANCE_LIMIT", 3)
    source = mdns.MdnsSource()
    source._asking.note_asked(0.0)
    flood(source._table, MALLORY, 3)
    assert (source.state.state, source.state.detail) == ("ok", None)
    flood(source._table, MALLORY, 2, "more")
    assert (source.state.state, source.state.detail) == ("partial", "2 instances beyond 3 were left out")
