"""Somebody on the LAN sends as many packets as he can: 10,000 a second."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.attacks.conftest import Scene
from tests.e2e.app import announced, listed
from tests.e2e.backends import Backends
from tests.lab.net import python
from tests.lab.process import Process

pytestmark = [pytest.mark.netns, pytest.mark.alone, pytest.mark.timeout(120)]

RATE, SECONDS = 10_000, 15.0  # Python starts in a second or three while all cores are busy
NEW_LIMIT_S = 8.0
MEMORY_LIMIT_KIB = 120 * 1024
LIST_LIMIT_S = 5.0 + 2.5  # its own timeout, and Python with its imports while both cores are busy


def most_memory_kib(process: Process) -> int:
    """How much memory a process has had at most."""
    status = Path(f"/proc/{process.popen.pid}/status").read_text("ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1])  # type: ignore[index]


@pytest.mark.parametrize("forged", [0, 154], ids=["one address", "all forged"])
@pytest.mark.parametrize("what", ["instances", "host"])
def test_a_flood(scene: Scene, backends: Backends, what: str, forged: int) -> None:
    """He announces 100,000 services that do not exist, or a thousand whose host is ever elsewhere.

    He does so from his own address, or from many that he forges. The user sees the victim all the while, and a new
    service that starts meanwhile. `list` ends in time and shows both. The watching process takes no more memory than it
    may, and is itself again afterwards.
    """
    box = scene.studio.lab.host("new-box")
    scene.studio.lan.join(box)
    backends(box, "rvc", 7865)
    flood = scene.mallory.host.start(
        python("-m", "tests.attacks.flood", what, scene.mallory.address, str(SECONDS), str(RATE), str(forged))
    )
    flood.wait_for_log("ready", 30)

    announced(box, "rvc", 7865)
    scene.watch.until(lambda now: any(one["kind"] == "rvc" for one in now), NEW_LIMIT_S, "the new one is there")
    assert flood.running, "it was found during the flood"
    began = time.monotonic()
    document = listed(scene.studio.desk)
    took_s = time.monotonic() - began
    flood.wait_for_log("sent", 30)
    sent = int(re.search(r"sent (\d+)", flood.log)[1])  # type: ignore[index]
    assert sent > 0.5 * RATE * SECONDS, f"this machine could send only {sent} packets"

    memory_kib = most_memory_kib(scene.watch.process)
    print(f"sent {sent}; list took {took_s:.1f} s; {memory_kib // 1024} MiB; {document['sources']['mdns']['detail']}")
    assert took_s < LIST_LIMIT_S
    shown = {one["kind"]: one["status"] for one in document["services"] if one["name"].startswith(("ComfyUI", "RVC"))}
    assert shown.keys() == {"comfyui", "rvc"} and set(shown.values()) <= {"online", "stale"}, shown
    scene.watch.until(scene.fine, 5, "the victim is as it was")
    scene.watch.until(
        lambda now: ("rvc", "online") in [(one["kind"], one["status"]) for one in now], 10, "so is the new one"
    )
    scene.check_history()
    assert memory_kib < MEMORY_LIMIT_KIB
