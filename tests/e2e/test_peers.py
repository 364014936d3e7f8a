"""The real programs, not our idea of them: found on their own machine by looking, and on the LAN by a sidecar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.e2e.app import announce, command, listed
from tests.lab.net import Host, Lab, lab_available
from tests.lab.peers import start_peer
from tests.lab.require import require
from tests.lab.wait import wait_until

pytestmark = [pytest.mark.netns, pytest.mark.peers, pytest.mark.timeout(240)]

PORTS = {"wangp": 7860, "wangp-login": 7861, "audioldm": 7863, "rvc": 7865, "litellm": 4000}


@pytest.fixture(scope="module")
def studio() -> Iterator[tuple[Host, Host]]:
    """A GPU box where all of them run, and a desk."""
    require(lab_available())
    with Lab() as lab, ExitStack() as peers:
        box, desk = lab.host("gpu-box"), lab.host("desk")
        lan = lab.lan("10.77.0.0/24", "fd77::/64")
        lan.join(box)
        lan.join(desk)
        started = [start_peer(name, port=port, host="0.0.0.0", netns_host=box) for name, port in PORTS.items()]
        with ThreadPoolExecutor(len(started)) as pool:  # they load at the same time
            list(pool.map(peers.enter_context, started))
        yield box, desk


def test_they_are_found_on_their_own_machine(studio: tuple[Host, Host]) -> None:
    box, _ = studio
    document = listed(box, "--source", "probe")
    found = {one["endpoints"][0]["port"]: (one["kind"], one["status"], one["verified"]) for one in document["services"]}
    assert found == {
        7860: ("wan2gp", "online", True),
        7861: ("gradio", "locked", True),  # behind its login Gradio 5 tells no title
        7863: ("audioldm", "online", True),
        7865: ("rvc", "online", True),
        4000: ("litellm", "online", True),
    }
    assert document["complete"]
    assert document["elapsed_s"] < 5
    versions = {one["kind"]: one["version"] for one in document["services"]}
    assert versions["wan2gp"] == "12.60"
    assert versions["litellm"]


def test_the_plain_list_that_knocks_first_finds_the_same(studio: tuple[Host, Host]) -> None:
    """What a user types goes another way than ``--json``, and hands the connections of its knock on."""
    box, _ = studio
    done = box.run(command("list", "--source", "probe"), env={"COLUMNS": "200"})  # wide: a service is one row
    rows = re.findall(r"^\S (\w+) .* http://127\.0\.0\.1:(\d+) ", done.stdout, re.MULTILINE)  # a reason is indented
    expected = {str(port): "locked" if name == "wangp-login" else "online" for name, port in PORTS.items()}
    assert {port: status for status, port in rows} == expected


def test_a_sidecar_announces_them_and_the_desk_finds_them(studio: tuple[Host, Host]) -> None:
    box, desk = studio
    kinds = {"wan2gp": "wangp", "rvc": "rvc", "audioldm": "audioldm", "litellm": "litellm"}
    sidecars = [announce(box, kind, PORTS[peer]) for kind, peer in kinds.items()]
    for sidecar in sidecars:
        sidecar.wait_for_log("Announced: ", 20)
    document = listed(desk)
    assert {one["kind"]: one["status"] for one in document["services"]} == dict.fromkeys(kinds, "online")
    assert all(one["verified"] and one["sources"] == ["mdns", "probe"] for one in document["services"])
    for sidecar in sidecars:
        sidecar.popen.terminate()
    wait_until(lambda: not listed(desk)["services"], 10, "all have said goodbye")
