"""Time to tell the truth: what goes away is gone, and what comes back is there, as fast as promised."""

from __future__ import annotations

import signal
import time

import pytest

from tests.e2e.app import Watch, announced
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio

pytestmark = pytest.mark.netns

GOODBYE_LIMIT_S = 1.5
SLACK_S = 1.0  # for a machine with two cores that runs other tests too


def statuses(watch: Watch) -> list[str]:
    """The status of the one service after each event."""
    return [service["status"] if event != "removed" else "removed" for event, service in watch.events]


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
    assert sidecar.log.rstrip().endswith("Withdrawn: ComfyUI on gpu-box")


@pytest.mark.timeout(90)
def test_a_backend_that_dies_is_withdrawn_and_returns(studio: Studio, backends: Backends) -> None:
    backend = backends(studio.gpu_box, "comfyui", 8188)
    watch = Watch(studio.desk)
    sidecar = announced(studio.gpu_box, "comfyui", 8188)
    watch.until_online()
    backend.stop()
    sidecar.wait_for_log("Withdrawn: ", 3 * 5.5 + SLACK_S)
    watch.until_gone(GOODBYE_LIMIT_S)
    backend.start()
    sidecar.wait_for_log("(?s)Withdrawn: .*Announced: ", 2 * 5.5 + 3 + SLACK_S)
    watch.until_online(limit_s=2 + SLACK_S)


@pytest.mark.timeout(90)
def test_a_box_that_loses_power_is_stale_then_gone_and_at_once_back(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    watch = Watch(studio.desk)
    announced(studio.gpu_box, "comfyui", 8188)
    watch.until_online()
    studio.gpu_box.kill_all()  # no goodbye
    studio.gpu_box.interfaces[0].unplug()
    cut_at = time.monotonic()
    watch.until(lambda now: [one["status"] for one in now] == ["stale"], 5 + 2 * SLACK_S, "stale")
    watch.until_gone(15 + SLACK_S - (time.monotonic() - cut_at))
    assert statuses(watch)[-2:] == ["stale", "removed"]
    assert watch.process.running

    studio.gpu_box.interfaces[0].plug()
    announced(studio.gpu_box, "comfyui", 8188)
    watch.until_online(limit_s=2 + SLACK_S)
