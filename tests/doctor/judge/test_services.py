"""Services that do not answer, and backends that keep to themselves: what the doctor makes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybridisco.doctor.facts import Found, LocalBackend, Machine, Reply, SilentService, Tcp, UntrustedService
from hybridisco.doctor.report import Result
from tests.doctor.world import BOX, causes, check, report


def silent(*outcomes: Tcp, source: str = "mdns", **more: bool) -> Found:
    """A service at which connections end so."""
    replies = tuple(Reply(BOX, 8188, outcome) for outcome in outcomes)
    url = f"http://{BOX}:8188"
    return Found(0, (SilentService("ComfyUI", url, "gpu-box.local", (source,), "", replies, "Start it.", **more),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (silent(Tcp.REFUSED), "service-not-running"),
        (silent(Tcp.ACCEPTED), "service-not-running"),
        (silent(Tcp.REFUSED, Tcp.TIMEOUT), "service-not-running"),
        (silent(Tcp.TIMEOUT), "service-port-blocked"),
        (silent(Tcp.TIMEOUT, source="manual", neighbour=True), "service-port-blocked"),
        (silent(Tcp.TIMEOUT, source="manual"), "host-off"),
        (silent(Tcp.NO_ROUTE, source="manual"), "host-off"),
        (silent(Tcp.UNROUTABLE, source="manual"), "other-network"),
        (silent(Tcp.DENIED, source="manual"), "firewall-here"),
        (silent(source="manual"), "host-unknown"),
    ],
)
def test_on_which_side_it_is_lost(found: Found, cause: str) -> None:
    assert causes(found=found) == [cause]
    assert not report(found=found).sound


def test_macos_says_there_is_no_way() -> None:
    assert causes(found=silent(Tcp.NO_ROUTE), machine=Machine("darwin")) == ["local-network-permission"]


def test_what_answers_is_counted() -> None:
    assert check("services", found=Found(1)).evidence == ("1 service found that answers",)
    assert check("services", found=Found(3, (), ("mdns: …",))).evidence == ("3 services found that answer", "mdns: …")
    assert check("services", found=None).result is Result.UNKNOWN


def test_what_is_not_believed_is_a_finding_of_its_own() -> None:
    foreign = UntrustedService("ComfyUI", f"http://{BOX}:8188", "gpu-box.local", "Signed with another key.")
    found = Found(0, untrusted=(foreign,))
    assert causes(found=found) == ["service-untrusted"]
    assert not report(found=found).sound
    assert not any("found that answer" in line for one in report(found=found).checks for line in one.evidence)
    seen = check("service:ComfyUI", found=found)
    assert seen.evidence == (
        f"http://{BOX}:8188, announced by gpu-box.local, is not believed",
        "Signed with another key.",
    )
    assert "hybridisco trust list" in seen.fix and seen.why


def test_what_is_not_believed_stands_beside_what_does_not_answer() -> None:
    foreign = UntrustedService("RVC", f"http://{BOX}:7865", "gpu-box.local", "Signed with another key.")
    found = replace(silent(Tcp.REFUSED), untrusted=(foreign, foreign))
    assert causes(found=found) == ["service-not-running", "service-untrusted"]


def test_a_backend_that_keeps_to_itself() -> None:
    hidden = LocalBackend(
        "ComfyUI", "comfyui", "http://127.0.0.1:8188", 8188, ("10.77.0.2",), "Start it with --listen."
    )
    assert causes(backends=(hidden,)) == ["loopback-only"]
    seen = check("loopback", backends=(hidden,))
    assert seen.evidence == ("ComfyUI answers at http://127.0.0.1:8188, but not at 10.77.0.2 port 8188",)
    assert seen.fix == "Start it with --listen."
    assert seen.result is Result.WARNING, "this machine can use it"
    assert check("loopback", backends=None).result is Result.UNKNOWN
