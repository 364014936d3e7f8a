"""Targets as Prometheus reads them: strings only, IPv6 in brackets."""

from __future__ import annotations

import json

from hybridisco.formats import render
from tests.formats.samples import TYPICAL


def test_prometheus_targets() -> None:
    groups = json.loads(render("prometheus", TYPICAL))
    assert [group["targets"] for group in groups] == [
        ["10.77.0.2:8188"],
        ["127.0.0.1:4000"],
        ["old-box:7865"],
        ["[fe80::1a2b:3c4d:5e6f:7a8b%eth0]:7860"],
    ]
    for group in groups:
        assert set(group) == {"targets", "labels"}
        assert all(isinstance(value, str) for value in group["labels"].values())
    assert groups[0]["labels"]["__meta_hybridisco_sources"] == ",mdns,probe,"
    assert groups[2]["labels"]["__meta_hybridisco_status"] == "unreachable"
