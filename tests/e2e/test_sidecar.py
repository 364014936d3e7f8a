"""What a sidecar announces, and what it refuses to."""

from __future__ import annotations

import shutil

import pytest

from tests.e2e.app import START_LIMIT_S, Watch, announce, announced, listed
from tests.e2e.backends import LOOPBACK, Backends
from tests.e2e.conftest import Studio

pytestmark = pytest.mark.netns


def test_a_backend_on_loopback_is_not_announced(studio: Studio, backends: Backends) -> None:
    hints = {"comfyui": (8188, "--listen 0.0.0.0"), "wan2gp": (7860, "--listen"), "audioldm": (7863, "")}
    sidecars = {}
    for kind, (port, _) in hints.items():
        backends(studio.gpu_box, kind, port, LOOPBACK)
        sidecars[kind] = announce(studio.gpu_box, kind, port)
    for kind, (port, hint) in hints.items():
        why = rf"Not announced: .* listens on this machine only \(127.0.0.1:{port}\), .*{hint}"
        sidecars[kind].wait_for_log(why, START_LIMIT_S)
    assert listed(studio.desk)["services"] == []
    # This machine's own list still has them.
    assert {one["kind"] for one in listed(studio.gpu_box)["services"]} == set(hints)


def test_another_kind_is_not_announced(studio: Studio, backends: Backends) -> None:
    backend = backends(studio.gpu_box, "litellm", 8000)
    web = backends(studio.gpu_box, "web", 8188)
    wrong = announce(studio.gpu_box, "comfyui", 8000)
    plain = announce(studio.gpu_box, "comfyui", 8188)
    nothing = announce(studio.gpu_box, "rvc", 7865)
    wrong.wait_for_log("Not announced: on port 8000 answers LiteLLM, not ComfyUI", START_LIMIT_S)
    plain.wait_for_log("Not announced: on port 8188 answers a web server that is not ComfyUI", START_LIMIT_S)
    nothing.wait_for_log("Not announced: nothing listens on port 7865", START_LIMIT_S)
    assert listed(studio.desk)["services"] == []
    assert backend.mock.paid_calls == 0
    assert web.mock.requests


@pytest.mark.parametrize("address", ["10.77.0.1", "fd77::1"])
def test_bind_announces_only_what_it_names(studio: Studio, backends: Backends, address: str) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    announced(studio.gpu_box, "comfyui", 8188, "--bind", address)
    (seen,) = listed(studio.desk)["services"]
    assert [end["address"] for end in seen["endpoints"]] == [address]
    assert seen["status"] == "online"


def test_two_sidecars_on_one_host_do_not_disturb_each_other(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    backends(studio.gpu_box, "comfyui", 8189, "0.0.0.0")
    watch = Watch(studio.desk)
    announce(studio.gpu_box, "comfyui", 8188)
    second = announce(studio.gpu_box, "comfyui", 8189)
    seen = watch.until_online(2)
    assert {one["endpoints"][0]["port"] for one in seen} == {8188, 8189}
    assert len({one["id"] for one in seen}) == len({one["name"] for one in seen}) == 2
    second.popen.terminate()
    (left,) = watch.until(lambda now: len(now) == 1, 3, "one has gone")
    assert left["endpoints"][0]["port"] == 8188
    (once,) = listed(studio.desk)["services"]
    assert {end["address"] for end in once["endpoints"]} == set(studio.gpu_box.addresses)


def test_an_id_is_kept_and_is_new_on_another_machine(studio: Studio, backends: Backends) -> None:
    other = studio.lab.host("other")
    studio.lan.join(other)
    backends(studio.gpu_box, "comfyui", 8188)
    backends(other, "comfyui", 8188)
    states = [host.directory / "state" for host in (studio.gpu_box, other)]
    watch = Watch(studio.desk)
    sidecar = announced(studio.gpu_box, "comfyui", 8188, env={"HYBRIDISCO_STATE": str(states[0])})
    (first,) = watch.until_online()
    sidecar.stop()
    watch.until_gone(3)
    shutil.copytree(*states)
    announce(studio.gpu_box, "comfyui", 8188, env={"HYBRIDISCO_STATE": str(states[0])})
    announce(other, "comfyui", 8188, env={"HYBRIDISCO_STATE": str(states[1])})
    ids = {one["host"]: one["id"] for one in watch.until_online(2)}
    assert ids["gpu-box.local"] == first["id"]
    assert ids["other.local"] != first["id"]
