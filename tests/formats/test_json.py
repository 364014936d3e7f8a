"""The JSON document is a promise: keys, their order, and that every parser can read it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from hybridisco.core.model import Endpoint, Event, EventType, Snapshot, SourceName, SourceState, Status, Trust
from hybridisco.formats import render
from hybridisco.formats.json_ import event_line
from tests.formats.samples import GONE, NOON, TYPICAL, service, snapshot

# The document of the design, with its ellipses filled in, and `trust`, which came later.
DESIGN = """
{"schema": 1, "complete": true, "elapsed_s": 0.31,
 "sources": {"mdns": {"state": "ok", "detail": null}, "probe": {"state": "ok", "detail": null},
             "manual": {"state": "off", "detail": "not asked for"}},
 "services": [{"id": "x", "kind": "comfyui", "name": "ComfyUI on gpu-box", "host": "gpu-box.local",
    "status": "online", "problem": null, "verified": true, "url": "http://10.77.0.2:8188",
    "endpoints": [{"url": "http://10.77.0.2:8188", "address": "10.77.0.2", "port": 8188, "family": "ipv4",
                   "interface": "eth0", "reachable": true, "latency_ms": 1.2}],
    "sources": ["mdns", "probe"], "version": "0.3.64", "capabilities": ["image"], "properties": {},
    "latency_ms": 1.2, "first_seen": "2026-11-22T12:00:00Z", "last_seen": "2026-11-22T12:00:01Z",
    "trust": "unchecked"}]}
"""


def strictly(text: str) -> Any:
    """Parse JSON as strict parsers do: no NaN, no infinity."""

    def refuse(constant: str) -> Any:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_document_is_that_of_the_design() -> None:
    shot = snapshot(
        service(id="x", properties=()),
        elapsed_s=0.31,
        sources=(
            (SourceName.MDNS, SourceState("ok")),
            (SourceName.PROBE, SourceState("ok")),
            (SourceName.MANUAL, SourceState("off", "not asked for")),
        ),
    )
    text = render("json", shot)
    assert strictly(text) == json.loads(DESIGN)
    assert json.dumps(json.loads(text)) == json.dumps(json.loads(DESIGN))  # the order of the keys, too


def test_what_json_cannot_hold_becomes_null() -> None:
    nan, infinity = float("nan"), float("inf")
    odd = service(
        latency_ms=nan,
        properties=(("a", nan), ("b", True), ("c", 2.5)),
        first_seen=nan,
        last_seen=1e300,
        endpoints=(Endpoint("", 1, host="x", latency_ms=infinity),),
    )
    (said,) = strictly(render("json", snapshot(odd, elapsed_s=infinity)))["services"]
    assert (said["latency_ms"], said["first_seen"], said["last_seen"]) == (None, None, None)
    assert said["properties"] == {"a": None, "b": True, "c": 2.5}
    assert said["endpoints"][0] | {"url": 0} == {
        "url": 0,
        "address": None,
        "port": 1,
        "family": None,
        "interface": None,
        "reachable": None,
        "latency_ms": None,
    }


def test_it_is_ascii_whatever_the_names_are() -> None:
    text = render("json", snapshot(service(name="画像 😀")))
    assert text.isascii()
    assert strictly(text)["services"][0]["name"] == "画像 😀"


def test_nothing_found_is_a_document_too() -> None:
    assert strictly(render("json", Snapshot())) == {
        "schema": 1,
        "complete": False,
        "elapsed_s": 0.0,
        "sources": {},
        "services": [],
    }


def test_an_event_is_one_line() -> None:
    line = event_line(Event(EventType.REMOVED, GONE))
    assert "\n" not in line
    said = strictly(line)
    assert list(said) == ["event", "service"]
    assert (said["event"], said["service"]["status"]) == ("removed", "unreachable")


def test_statuses_and_times_are_plain_strings() -> None:
    said = strictly(render("json", TYPICAL))["services"]
    assert [one["status"] for one in said] == ["online", "locked", "unreachable", "busy"]
    assert NOON == 1795348800


def test_every_key_and_value_is_explained() -> None:
    explained = set(re.findall(r"`([a-z_]+)`", (Path(__file__).parents[2] / "docs/json.md").read_text("utf-8")))
    shown = json.loads(DESIGN)
    (one,) = shown["services"]
    assert explained >= {*shown, *one, *one["endpoints"][0], *Status, *Trust, *EventType, *SourceName}
