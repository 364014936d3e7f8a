"""Why a backend is not announced, in words: no sentence may say more than was seen."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from announcers.assignment import Assignment
from announcers.look import Look, Reach
from announcers.reasons import why_not
from hybridisco import Endpoint, Finding, Kind, Status
from hybridisco.kinds import BUILTIN

KINDS = {kind.id: kind for kind in BUILTIN}
TITLES = {kind.id: kind.title for kind in BUILTIN}
JOB = Assignment(KINDS["comfyui"], 8188)
LAN = Endpoint("10.77.0.1", 8188)
LOCAL, LOCAL6 = Endpoint("127.0.0.1", 8188), Endpoint("::1", 8188)
GOOD = Finding(Status.ONLINE, "comfyui")


def reason(seen: Look, job: Assignment = JOB) -> str:
    said = why_not(job, seen, TITLES)
    assert said is not None
    assert said == said.strip() and said.endswith((".", ")"))
    return said


def found(finding: Finding, endpoint: Endpoint = LAN) -> Look:
    return Look(finding, Reach.LAN, endpoint, (endpoint.address,))


@pytest.mark.parametrize(
    "finding",
    [
        GOOD,
        Finding(Status.BUSY, "comfyui"),
        Finding(Status.STARTING),  # a proxy that only says 503
        Finding(Status.LOCKED, "comfyui"),
        Finding(Status.LOCKED),
    ],
)
def test_what_is_announced(finding: Finding) -> None:
    assert why_not(JOB, found(finding), TITLES) is None


def test_a_login_hides_a_kind_of_its_own_framework_only() -> None:
    login = Finding(Status.LOCKED, "gradio", family="gradio")
    assert why_not(replace(JOB, kind=KINDS["wan2gp"]), found(login), TITLES) is None
    assert "not ComfyUI" in reason(found(login))


def test_nothing_listens() -> None:
    nobody = Look(None, Reach.NOBODY)
    assert reason(nobody).startswith("nothing listens on port 8188. Start it with")
    assert "8188 at 10.77.0.1 (--bind)." in reason(nobody, replace(JOB, only=("10.77.0.1",)))


@pytest.mark.parametrize(
    ("cause", "tls", "words"),
    [
        ("no-tls", True, "https://10.77.0.1:8188 does not speak TLS.*Try without --tls[.]"),
        ("not-http", False, "does not speak HTTP.*try --tls[.]"),
        ("silent", False, "sends no answer. ComfyUI is probably still loading"),
        ("reset", False, "closes the connection"),
        (None, False, "gives no answer"),
    ],
)
def test_no_answer_is_explained_by_its_cause(cause: str | None, tls: bool, words: str) -> None:
    seen = found(Finding(Status.UNREACHABLE, cause=cause), replace(LAN, tls=tls))
    assert re.search(words, reason(seen, replace(JOB, tls=tls)))


def test_another_kind() -> None:
    other, unknown = found(Finding(Status.ONLINE, "litellm")), found(Finding(Status.ONLINE))
    assert reason(other).startswith("on port 8188 answers LiteLLM, not ComfyUI. ")
    assert reason(unknown).startswith("on port 8188 answers a web server that is not ComfyUI. ")


def test_a_wrong_path() -> None:
    seen = found(Finding(Status.ONLINE), replace(LAN, path="/nope"))
    said = reason(seen, replace(JOB, path="/nope"))
    assert said.startswith("a web server answers at http://10.77.0.1:8188/nope, but no ComfyUI is under that path.")
    assert "--path" in said


@pytest.mark.parametrize(("local", "lan"), [(LOCAL, "10.77.0.1"), (LOCAL6, "fd77::1")])
def test_this_machine_only_is_said_when_the_lan_was_refused(local: Endpoint, lan: str) -> None:
    place = "127.0.0.1:8188" if local is LOCAL else "[::1]:8188"
    said = reason(Look(GOOD, Reach.LOOPBACK, local, refused=("fe80::1", lan)))
    assert f"listens on this machine only ({place}), so nobody else could use it. To open it to the LAN" in said


def test_a_family_without_a_network_has_refused_nothing() -> None:
    said = reason(Look(GOOD, Reach.LOOPBACK, LOCAL, refused=("fe80::1",)))
    assert "this machine only" not in said
    assert "answers by IPv4 only" in said and "no network but IPv6" in said


@pytest.mark.parametrize("job", [replace(JOB, only=("10.77.0.9",)), replace(JOB, interfaces=("eth1",))])
def test_of_what_was_not_looked_at_nothing_is_said(job: Assignment) -> None:
    said = reason(Look(GOOD, Reach.LOOPBACK, LOCAL, refused=("10.77.0.9",)), job)
    assert "this machine only" not in said
    assert "answers at 127.0.0.1:8188, but not at " in said


def test_without_a_network() -> None:
    assert "this machine has no network to announce ComfyUI on" in reason(Look(None, Reach.OFFLINE))
    assert "no address at eth1 (--interface)" in reason(Look(None, Reach.OFFLINE), replace(JOB, interfaces=("eth1",)))


@pytest.mark.parametrize("kind", BUILTIN, ids=lambda kind: kind.id)
def test_no_hint_contradicts_that_it_listens_on_this_machine_only(kind: Kind) -> None:
    assert " listens on all addresses" not in kind.lan_hint


def test_a_server_that_only_fails_is_not_announced() -> None:
    said = reason(found(Finding(Status.STARTING, cause="http-500")))
    assert "server error on every path" in said
    assert "console" in said
