"""Time to tell the truth: what goes away is gone, and what comes back is there, as fast as promised."""

from __future__ import annotations

import signal
import socket
import time

import pytest

from tests.e2e import liar
from tests.e2e.app import Json, Watch, announce, announced
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio
from tests.lab.wait import wait_until

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


def test_a_sidecar_that_is_killed_takes_its_announcement_with_it(studio: Studio, backends: Backends) -> None:
    """The backend goes on, but nobody vouches for it any more; a sidecar that is started again brings it back."""
    backends(studio.gpu_box, "comfyui", 8188)
    watch = Watch(studio.desk, "--source", "mdns")
    sidecar = announced(studio.gpu_box, "comfyui", 8188)
    watch.until_online()
    sidecar.kill()
    killed_at = time.monotonic()
    (one,) = watch.until(lambda now: [s["status"] for s in now] == ["stale"], STALE_LIMIT_S, "it is stale")
    assert "ended without a goodbye" in one["problem"]
    watch.until_gone(GONE_LIMIT_S - (time.monotonic() - killed_at))
    announced(studio.gpu_box, "comfyui", 8188)
    watch.until_online(1, 2 + SLACK_S)


def test_a_cable_that_is_pulled_at_this_end_empties_nothing(studio: Studio, backends: Backends) -> None:
    """It is this machine that has lost its network: what was there stays, says so, and is there again at once."""
    backends(studio.gpu_box, "comfyui", 8188)
    backends(studio.desk, "rvc", 7865, "127.0.0.1")
    watch = Watch(studio.desk)
    announced(studio.gpu_box, "comfyui", 8188)
    watch.until_online(2)
    seen = len(watch.events)
    (card,) = studio.desk.interfaces
    card.unplug()
    watch.until(
        lambda now: {s["kind"]: s["status"] for s in now} == {"comfyui": "stale", "rvc": "online"},
        2 * SLACK_S,
        "the box is out of reach, this machine's own backend is not",
    )
    assert "lost its network" in next(s["problem"] for s in watch.services if s["kind"] == "comfyui")
    unplugged_at = time.monotonic()
    wait_until(lambda: time.monotonic() - unplugged_at > GONE_LIMIT_S, GONE_LIMIT_S + SLACK_S, "the time of the gone")
    card.plug()
    watch.until_online(2, 2 * SLACK_S)
    assert "removed" not in [event for event, _ in watch.events[seen:]]


@pytest.mark.timeout(90)
def test_at_rest_one_question_a_minute_and_one_look_in_five_seconds(studio: Studio, backends: Backends) -> None:
    """What a quiet LAN hears of us, counted over half a minute after the first."""
    backend = backends(studio.gpu_box, "comfyui", 8188)
    watch = Watch(studio.desk)
    sidecar = announced(studio.gpu_box, "comfyui", 8188)
    watch.until_online()
    began = time.monotonic()
    with studio.gpu_box.entered(), liar.open_socket("10.77.0.1") as sock:
        questions = _questions_heard(sock, until=began + 40.0, counted_from=began + 10.0)
    sidecar_looks = 40.0 / 5.0
    looks = [request for request in backend.mock.requests if request.path == "/system_stats"]
    assert len(questions) <= 2, "after ten seconds they are sixteen, then thirty-two seconds apart, and so on"
    assert len(looks) <= 1.3 * (sidecar_looks + 40.0 / 5.0) + 6, "ours, the sidecar's, and the first of both"
    assert sidecar.running


def _questions_heard(sock: socket.socket, *, until: float, counted_from: float) -> list[bytes]:
    """Return the questions for our type that were put within a time."""
    found: list[bytes] = []
    while (left_s := until - time.monotonic()) > 0:
        sock.settimeout(left_s)
        try:
            packet = sock.recv(9000)
        except TimeoutError:
            break
        is_question = packet[2] & 0x80 == 0 and liar.name(liar.TYPE) in packet
        if is_question and time.monotonic() >= counted_from:
            found.append(packet)
    return found
