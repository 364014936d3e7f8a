"""Time to tell the truth: what goes away is gone, and what comes back is there, as fast as promised."""

from __future__ import annotations

import signal
import time

import pytest

from tests.e2e.app import Json, Watch, announce, announced
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio

pytestmark = pytest.mark.netns

GOODBYE_LIMIT_S = 1.5
SLACK_S = 1.0  # for a machine with two cores that runs other tests too
STALE_LIMIT_S = 5.0 + 2 * SLACK_S  # the next check, and the second that a connect to nobody takes
GONE_LIMIT_S = 15.0 + SLACK_S


def statuses(watch: Watch, kind: str) -> list[str]:
    """The status of the one service of a kind after each event."""
    told = [(event, service) for event, service in watch.events if service["kind"] == kind]
    return [service["status"] if event != "removed" else "removed" for event, service in told]


def online(services: list[Json], kind: str) -> bool:
    """Whether the one service of a kind is online."""
    return [one["status"] for one in services if one["kind"] == kind] == ["online"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_sidecar_that_is_stopped_says_goodbye(studio: Studio, backends: Backends, how: signal.Signals) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    watch = Watch(studio.desk)
    sidecar = announced(studio.gpu_box, "comfyui", 8188)
    watch.until_online()
    sidecar.popen.send_signal(how)
    watch.until_gone(GOODBYE_LIMIT_S)
    assert sidecar.popen.wait(5) == (130 if how is signal.SIGINT else 0)
    assert "Traceback" not in sidecar.log
    assert sidecar.log.rstrip().endswith("Withdrawn: ComfyUI on gpu-box; goodbye.")


@pytest.mark.timeout(90)
def test_what_fails_goes_and_what_recovers_returns(studio: Studio, backends: Backends) -> None:
    """At once on two machines: a backend dies under its sidecar, and a box loses its power without a goodbye."""
    box = studio.lab.host("other")
    studio.lan.join(box)
    backend = backends(studio.gpu_box, "comfyui", 8188)
    backends(box, "rvc", 7865)
    watch = Watch(studio.desk)
    sidecar = announce(studio.gpu_box, "comfyui", 8188)
    announce(box, "rvc", 7865)
    watch.until_online(2)

    box.kill_all()
    box.interfaces[0].unplug()
    backend.stop()
    failed_at = time.monotonic()
    watch.until(lambda now: {one["status"] for one in now} == {"stale"}, STALE_LIMIT_S, "both are stale")
    watch.until(lambda now: not now, GONE_LIMIT_S - (time.monotonic() - failed_at), "both are gone")
    for kind in ("comfyui", "rvc"):
        assert statuses(watch, kind)[-2:] == ["stale", "removed"]
    sidecar.wait_for_log("Withdrawn: ", 3 * 5.5 + SLACK_S - (time.monotonic() - failed_at))

    backend.start()
    box.interfaces[0].plug()
    again = announced(box, "rvc", 7865)
    watch.until(lambda now: online(now, "rvc"), 2 + SLACK_S, "the box is back as soon as it says so")
    sidecar.wait_for_log("(?s)Withdrawn: .*Announced: ", 2 * 5.5 + 3 + SLACK_S)
    watch.until(lambda now: online(now, "comfyui"), 2 + SLACK_S, "the backend is back after two good checks")
    assert again.running


def test_a_network_that_comes_later_is_followed(studio: Studio, backends: Backends) -> None:
    """A laptop wakes up before its Wi-Fi does."""
    backends(studio.gpu_box, "comfyui", 8188)
    studio.desk.interfaces[0].down()
    watch = Watch(studio.desk, "--source", "mdns")
    announced(studio.gpu_box, "comfyui", 8188)
    assert watch.services == []
    studio.desk.interfaces[0].up()
    watch.until_online()
