"""What a sidecar says from its start to its end: each change once, and nothing that was not seen."""

from __future__ import annotations

import re
import signal

import pytest

from tests.e2e.app import START_LIMIT_S, Watch, announce, announced
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio, backends, studio
from tests.lab.fixtures import lab
from tests.lab.net import Lab

__all__ = ["backends", "lab", "studio"]

pytestmark = pytest.mark.netns

NEXT_LOOK_S = 5.5 + 3.0
ON = "Looked at again every few seconds; Ctrl-C ends."


def test_from_waiting_to_goodbye(lab: Lab, backends: Backends) -> None:
    """A machine that has no network at first, then one; its backend is up all the time."""
    box = lab.host("gpu-box")
    backends(box, "comfyui", 8188, "0.0.0.0")
    sidecar = announce(box, "comfyui", 8188)
    sidecar.wait_for_log(ON, START_LIMIT_S)
    lab.lan("10.77.0.0/24").join(box)
    sidecar.wait_for_log("Announced: ", NEXT_LOOK_S)
    sidecar.stop(signal.SIGINT)
    first, waiting, there, end = sidecar.log.split("\n")[:4]
    assert first == "Looking at ComfyUI on port 8188 …"
    assert waiting.startswith("Not announced: this machine has no network to announce ComfyUI on")
    assert there.startswith("Announced: ComfyUI on gpu-box (ComfyUI, port 8188, 10.77.0.1")
    assert end == "Withdrawn: ComfyUI on gpu-box; goodbye."
    assert "this machine only" not in sidecar.log


def test_who_was_never_announced_stops_quietly(studio: Studio, backends: Backends) -> None:
    sidecar = announce(studio.gpu_box, "rvc", 7865)
    sidecar.wait_for_log(ON, START_LIMIT_S)
    backends(studio.gpu_box, "web", 7865)
    sidecar.wait_for_log("Not announced: on port 7865 answers a web server", NEXT_LOOK_S)
    sidecar.stop()
    assert sidecar.popen.returncode == 0
    assert sidecar.log.endswith("\nStopped.\n")
    assert len(re.findall(re.escape(ON), sidecar.log)) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--tls",), "does not speak TLS .* Try without --tls"),
        (("--path", "nope"), "answers at http://10.77.0.1:8188/nope, but no ComfyUI is under that path"),
    ],
)
def test_a_wrong_flag_is_named(studio: Studio, backends: Backends, arguments: tuple[str, ...], words: str) -> None:
    backends(studio.gpu_box, "comfyui", 8188, "0.0.0.0")
    sidecar = announce(studio.gpu_box, "comfyui", 8188, *arguments)
    sidecar.wait_for_log(f"Not announced: .*{words}", START_LIMIT_S)


def test_the_name_that_is_withdrawn_is_the_one_that_was_announced(studio: Studio, backends: Backends) -> None:
    for host in (studio.gpu_box, studio.desk):
        backends(host, "comfyui", 8188)
    watch = Watch(studio.desk)
    announced(studio.desk, "comfyui", 8188, "--name", "Pictures")
    watch.until(lambda now: any(one["name"] == "Pictures" for one in now), START_LIMIT_S, "the first is there")
    second = announced(studio.gpu_box, "comfyui", 8188, "--name", "Pictures")
    second.stop()
    assert "Announced: Pictures-2 (" in second.log
    assert second.log.endswith("Withdrawn: Pictures-2; goodbye.\n")
