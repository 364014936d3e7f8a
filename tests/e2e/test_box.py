"""One sidecar for the whole box: every backend that can be announced, as they come, move and go."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest

from tests.e2e.app import START_LIMIT_S, Watch, command
from tests.e2e.backends import LOOPBACK, Backends
from tests.e2e.conftest import Studio
from tests.lab.host import Host
from tests.lab.process import Process
from tests.lab.wait import wait_until

pytestmark = pytest.mark.netns

NEXT_LOOK_S = 10.0 + 5.5 + 4.0  # found by a sweep, then looked at, announced after probing the name


def box(host: Host, *arguments: str, config: str = "") -> Process:
    """Start a sidecar for everything."""
    file = host.directory / "home" / "hybridisco.toml"
    file.write_text(config, encoding="utf-8")
    return host.start(command("announce", *arguments), env={"HYBRIDISCO_CONFIG": str(file)})


def kinds(now: list[dict[str, Any]]) -> list[str]:
    return sorted(one["kind"] for one in now if one["status"] == "online")


def status(host: Host) -> dict[str, Any]:
    """What the sidecar says that it does."""
    (file,) = (host.directory / "home").rglob("announce-status.json")
    return dict(json.loads(file.read_text(encoding="utf-8")))


def test_everything_that_the_lan_can_reach_is_announced(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    backends(studio.gpu_box, "comfyui", 8189)
    backends(studio.gpu_box, "wan2gp", 7860)
    backends(studio.gpu_box, "rvc", 7865, LOOPBACK)
    backends(studio.gpu_box, "web", 8080)
    watch = Watch(studio.desk)
    sidecar = box(studio.gpu_box)
    now = watch.until(lambda now: kinds(now) == ["comfyui", "comfyui", "wan2gp"], NEXT_LOOK_S, "three are there")
    assert len({one["id"] for one in now}) == 3
    assert len({one["name"] for one in now}) == 3, "two of one kind have names of their own"
    sidecar.wait_for_log("Not announced: RVC listens on this machine only", START_LIMIT_S)
    sidecar.wait_for_log("Announced: ", START_LIMIT_S, count=3)
    told = {(one["kind"], one["port"]): one for one in status(studio.gpu_box)["backends"]}
    assert told["comfyui", 8188]["state"] == "announced" and told["comfyui", 8188]["addresses"]
    assert told["rvc", 7865]["state"] == "waiting" and "this machine only" in told["rvc", 7865]["reason"]
    sidecar.stop()
    watch.until(lambda now: not now, 3.0, "all said goodbye")
    assert sidecar.popen.returncode == 0
    assert not list((studio.gpu_box.directory / "home").rglob("announce-status.json"))


def test_backends_that_come_and_move_and_go_are_followed(studio: Studio, backends: Backends) -> None:
    sidecar = box(studio.gpu_box)
    sidecar.wait_for_log("No backend runs on this machine yet", START_LIMIT_S)
    watch = Watch(studio.desk)
    first = backends(studio.gpu_box, "comfyui", 8188)
    watch.until(lambda now: kinds(now) == ["comfyui"], NEXT_LOOK_S, "it is there")
    first.stop()
    second = backends(studio.gpu_box, "comfyui", 8199)
    watch.until(
        lambda now: [one["endpoints"][0]["port"] for one in now] == [8199], 3 * 5.5 + NEXT_LOOK_S, "it has moved"
    )
    second.stop()
    watch.until(lambda now: not now, 3 * 5.5 + 4.0, "it is gone")
    wait_until(lambda: not status(studio.gpu_box)["backends"], NEXT_LOOK_S, "it is forgotten")


def test_the_settings_choose_and_are_read_again(studio: Studio, backends: Backends) -> None:
    for kind, port in (("comfyui", 8188), ("wan2gp", 7860), ("litellm", 4000)):
        backends(studio.gpu_box, kind, port)
    watch = Watch(studio.desk)
    sidecar = box(
        studio.gpu_box,
        config='[kinds.wan2gp]\nannounce = false\n[announce]\nnames = { "comfyui:8188" = "Film machine" }\n',
    )
    now = watch.until(lambda now: kinds(now) == ["comfyui", "litellm"], NEXT_LOOK_S, "two are there")
    assert "Film machine" in {one["name"] for one in now}
    file = studio.gpu_box.directory / "home" / "hybridisco.toml"
    file.write_text("[announce]\nkinds = 7\n")
    sidecar.popen.send_signal(signal.SIGHUP)
    sidecar.wait_for_log("The settings stay as they were: .*line 2: announce.kinds", START_LIMIT_S)
    file.write_text('[announce]\nkinds = ["wan2gp", "litellm"]\n')
    sidecar.popen.send_signal(signal.SIGHUP)
    watch.until(lambda now: kinds(now) == ["litellm", "wan2gp"], NEXT_LOOK_S, "others are chosen")
    assert sidecar.log.count("Announced: LiteLLM") == 1, "what stays is not touched"


@pytest.mark.parametrize(("fault", "st"), [("busy", "busy"), ("starting", "starting")])
def test_busy_and_loading_ones_stay_announced(studio: Studio, backends: Backends, fault: str, st: str) -> None:
    backend = backends(studio.gpu_box, "comfyui", 8188)
    sidecar = box(studio.gpu_box, "--log-format", "json")
    sidecar.wait_for_log("Announced: ", NEXT_LOOK_S)
    backend.fail(fault)
    sidecar.wait_for_log(f"Announcement changed: st={st}", 3 * 5.5)  # at most one change in 10 s
    lines = [json.loads(line) for line in sidecar.log.splitlines()]
    assert {line["level"] for line in lines} == {"info"}
    assert [line["port"] for line in lines if line["message"].startswith("Announced")] == [8188]
    assert not [line for line in lines if line["message"].startswith("Withdrawn")]


def test_a_killed_sidecar_keeps_its_ids(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    watch = Watch(studio.desk)
    first = box(studio.gpu_box)
    (before,) = watch.until(lambda now: kinds(now) == ["comfyui"], NEXT_LOOK_S, "it is there")
    first.kill()
    second = box(studio.gpu_box)
    second.wait_for_log("Announced: ComfyUI on gpu-box \\(", NEXT_LOOK_S)
    watch.until(lambda now: [one["id"] for one in now] == [before["id"]], START_LIMIT_S, "it is the same")
    wait_until(lambda: status(studio.gpu_box)["backends"], START_LIMIT_S, "the status file follows the log")
    assert status(studio.gpu_box)["backends"][0]["id"] == before["id"]


def test_what_the_boxs_own_firewall_keeps_away_is_not_announced(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    rules = "add table inet f; add chain inet f in {{ type filter hook input priority 0; }}; add rule inet f in {}"
    studio.gpu_box.run(["nft", rules.format("iifname eth0 tcp dport 8188 drop")])
    sidecar = box(studio.gpu_box)
    sidecar.wait_for_log(r"Not announced: .* the firewall of .*tcp dport 8188 drop.*ufw allow", NEXT_LOOK_S)
    studio.gpu_box.run(["nft", "flush ruleset"])
    sidecar.wait_for_log("Announced: ComfyUI", NEXT_LOOK_S)


def test_one_that_was_named_stays_at_a_reload(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    watch = Watch(studio.desk)
    sidecar = box(studio.gpu_box, "comfyui")
    sidecar.wait_for_log("Announced: ComfyUI", START_LIMIT_S)
    watch.until_online()
    file = studio.gpu_box.directory / "home" / "hybridisco.toml"
    for count in (1, 2):
        sidecar.popen.send_signal(signal.SIGHUP)
        sidecar.wait_for_log("The settings were read again", START_LIMIT_S, count=count)
    assert "Withdrawn" not in sidecar.log
    file.write_text('[announce]\nnames = { comfyui = "Film machine" }\n')
    sidecar.popen.send_signal(signal.SIGHUP)
    watch.until(lambda now: [one["name"] for one in now] == ["Film machine"], START_LIMIT_S, "it has the other name")


def test_the_newest_settings_hold_however_quickly_they_change(studio: Studio, backends: Backends) -> None:
    for kind, port in (("comfyui", 8188), ("wan2gp", 7860), ("litellm", 4000)):
        backends(studio.gpu_box, kind, port)
    watch = Watch(studio.desk)
    sidecar = box(studio.gpu_box)
    sidecar.wait_for_log("Announced: ", NEXT_LOOK_S, count=3)
    file = studio.gpu_box.directory / "home" / "hybridisco.toml"
    for chosen in ("comfyui", "wan2gp", "rvc", "comfyui", "litellm"):
        # On the way there, too, it may be the only one for a moment: so the last of the settings give it a name.
        file.write_text(f'[announce]\nkinds = ["{chosen}"]\nnames = {{ litellm = "{chosen} was the last" }}\n')
        sidecar.popen.send_signal(signal.SIGHUP)
    last = "litellm was the last"
    watch.until(lambda now: [one["name"] for one in now] == [last], 2 * NEXT_LOOK_S, "only the last is there")
    sidecar.wait_for_log("The settings were read again", START_LIMIT_S, count=1)
    # A finder that was forgotten would find the others with its next sweep.
    sweeps = NEXT_LOOK_S - 4.0
    end = time.monotonic() + sweeps
    wait_until(
        lambda: time.monotonic() > end or kinds(watch.services) != ["litellm"], sweeps + 1.0, "a sweep has passed"
    )
    assert kinds(watch.services) == ["litellm"]


def test_a_machine_that_gets_another_name_is_announced_all_the_same(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    watch = Watch(studio.desk)
    sidecar = box(studio.gpu_box)
    sidecar.wait_for_log("Announced: ComfyUI", NEXT_LOOK_S)
    (before,) = watch.until_online()
    studio.gpu_box.run(["nsenter", "--uts", "--target", str(sidecar.popen.pid), "hostname", "renamed"])
    (card,) = studio.gpu_box.interfaces
    card.remove_address("10.77.0.1/24")
    card.add_address("10.77.0.99/24")
    (after,) = watch.until(
        lambda now: any(end["address"] == "10.77.0.99" for one in now for end in one["endpoints"]),
        START_LIMIT_S,
        "its new address is there",
    )
    assert after["id"] == before["id"] and "Traceback" not in sidecar.log
