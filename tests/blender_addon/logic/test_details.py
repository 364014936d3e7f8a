"""What the panel says of one service."""

from __future__ import annotations

from datetime import datetime

from blender_addon.logic.details import details
from blender_addon.logic.follower import Phase, View
from blender_addon.logic.headline import clock, headline, moment
from hybridisco import Endpoint, Service, SourceName, Status, find_kind, make_config
from hybridisco.core.model import Trust
from tests.formats.samples import GONE, NOON, service

KINDS = make_config({}).kinds


def title(kind: str) -> str:
    known = find_kind(KINDS, kind)
    return known.title if known else kind


def lines(one: Service, **more: bool) -> dict[str, str]:
    return {line.label: line.value for line in details(one, title, NOON + 60, **more)}


def test_everything_that_is_known_is_said() -> None:
    one = service(
        endpoints=(*service().endpoints, Endpoint("fd77::2", 8188, reachable=True)),
        properties=(("gpu", "RTX 4090"), ("queue", 3), ("vram_mib", 24564), ("speed_limit", True)),
        trust=Trust.PINNED,
    )
    assert lines(one) == {
        "Status": "Online",
        "Kind": "ComfyUI 0.3.64",
        "URL": "http://10.77.0.2:8188",
        "Host": "gpu-box.local",
        "Latency": "1.2 ms",
        "GPU": "RTX 4090",
        "VRAM": "24 GiB",
        "Queue": "3 waiting",
        "Speed limit": "True",
        "Makes": "image",
        "Found by": "mDNS, probe",
        "Signed": "Known key",
        "Also at": "http://[fd77::2]:8188",
        "Last seen": "now",
    }


def test_what_is_not_known_is_not_said() -> None:
    said = lines(GONE)
    assert set(said) == {"Status", "Kind", "URL", "Host", "Makes", "Found by", "Last seen", "GPU", "VRAM"} - (
        set() if GONE.properties else {"GPU", "VRAM"}
    )
    assert said["Status"] == "Unreachable"
    assert said["Last seen"] == moment(GONE.last_seen, NOON + 60)


def test_a_server_that_nobody_knows_is_called_so() -> None:
    assert lines(service(kind="http", version=None))["Kind"] == "unknown"


def test_one_from_before_says_so() -> None:
    said = lines(service(status=Status.STALE), last_known=True)
    assert (said["Status"], said["Last seen"]) == ("Last known", moment(service().last_seen, NOON))


def test_every_status_has_words() -> None:
    assert len({lines(service(status=status))["Status"] for status in Status}) == len(Status)


def test_every_signature_has_words_but_one_that_the_status_tells() -> None:
    said = {trust: lines(service(trust=trust))["Signed"] for trust in Trust if trust is not Trust.UNTRUSTED}
    assert said == {
        Trust.PINNED: "Known key",
        Trust.NEW: "New key",
        Trust.UNSIGNED: "Not signed",
        Trust.UNCHECKED: "Not checked",
    }
    untrusted = lines(service(status=Status.UNTRUSTED, trust=Trust.UNTRUSTED))
    assert untrusted["Status"] == "Not trusted" and "Signed" not in untrusted


def test_what_nobody_announces_has_no_signature() -> None:
    assert "Signed" not in lines(service(sources=(SourceName.PROBE, SourceName.MANUAL)))
    assert "Signed" not in lines(service(status=Status.STALE), last_known=True), "it is not kept"


def test_times_are_the_users_own() -> None:
    assert clock(NOON) == datetime.fromtimestamp(NOON).strftime("%H:%M")  # noqa: DTZ006
    assert moment(NOON, NOON + 1) == datetime.fromtimestamp(NOON).strftime("%H:%M:%S")  # noqa: DTZ006
    assert moment(NOON - 86400 * 40, NOON).startswith("2026-10-")
    assert clock(1e30) == moment(float("nan"), NOON) == ""


def test_the_headline() -> None:
    def said(phase: Phase, count: int, searched_at: float | None = None, untrusted: int = 0) -> str:
        return headline(View(phase, searched_at=searched_at), count, untrusted)

    assert said(Phase.OFF, 0) == "Not searching"
    assert said(Phase.OFF, 3) == "3 from before"
    assert said(Phase.SEARCHING, 0) == "Searching…"
    assert said(Phase.SEARCHING, 2) == "Searching… 2 so far"
    assert said(Phase.FOLLOWING, 5, NOON) == f"5 services · checked {clock(NOON)}"
    assert said(Phase.FOLLOWING, 1) == "1 service"
    assert said(Phase.FOLLOWING, 0, NOON) == f"Nothing found · checked {clock(NOON)}"
    assert said(Phase.FOLLOWING, 5, NOON, untrusted=1) == "5 services, 1 not trusted"
    assert said(Phase.FAILED, 5) == "Discovery has stopped"
