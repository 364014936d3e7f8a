"""The second start on a LAN: what answered at the first is asked itself, and what is gone leaves no trace."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack

import pytest

from tests.e2e.app import START_LIMIT_S, Json, Watch, announced, listed
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio
from tests.lab.avahi import Avahi, StaticService
from tests.lab.host import REPOSITORY, python
from tests.lab.require import require

pytestmark = pytest.mark.netns

ABSENT_S = 3.0  # that the kernel takes to say that a machine is not there
NO_MDNS = "table inet lab {\n chain in {\n type filter hook input priority 0\n udp dport 5353 drop\n }\n}\n"
SEARCH = """
import asyncio, sys, hybridisco

async def search():
    async with hybridisco.ServiceDiscoveryManager(remember=sys.argv[1] == "True") as manager:
        print(len(await manager.discover_all_services()))

asyncio.run(search())
"""
_TXT = ["txtvers=1", "id=from-avahi", "kind=comfyui", "gpu=RTX 4090"]
STATIC = StaticService("ComfyUI", "_hybridisco._tcp", 8188, txt=_TXT)


def test_without_multicast_a_known_box_is_found_under_its_name(studio: Studio, backends: Backends) -> None:
    """Avahi cannot sign, so the name belongs to nobody: whoever answers there as ComfyUI has it."""
    backends(studio.gpu_box, "comfyui", 8188)
    with Avahi(studio.gpu_box, [STATIC], dbus=False):
        (first,) = listed(studio.desk)["services"]
    (second,) = listed(studio.desk)["services"]
    assert second["status"] == "online"
    assert (second["sources"], second["trust"]) == (["mdns", "probe"], "unsigned")
    assert {key: second[key] for key in ("id", "name", "host", "kind", "url")} == {
        key: first[key] for key in ("id", "name", "host", "kind", "url")
    }


def test_without_its_owners_word_a_known_box_is_what_a_probe_finds(studio: Studio, backends: Backends) -> None:
    require(None if shutil.which("nft") else "not installed: nft (Debian: nftables)")
    backends(studio.gpu_box, "comfyui", 8188)
    announced(studio.gpu_box, "comfyui", 8188)
    (first,) = listed(studio.desk)["services"]
    assert first["trust"] == "pinned"
    studio.desk.run(["nft", "-f", "-"], input=NO_MDNS)
    (second,) = listed(studio.desk)["services"]
    assert (second["status"], second["url"], second["trust"]) == ("online", first["url"], "unsigned")
    assert second["id"] == "comfyui@10.77.0.1:8188"


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_its_sidecar_no_longer_announces_is_not_shown(studio: Studio, backends: Backends, end: str) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    sidecar = announced(studio.gpu_box, "comfyui", 8188)
    assert len(listed(studio.desk)["services"]) == 1
    getattr(sidecar, end)()
    assert listed(studio.desk)["services"] == []


def test_a_box_that_is_off_is_not_shown_and_delays_nothing(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    announced(studio.gpu_box, "comfyui", 8188)
    assert len(listed(studio.desk)["services"]) == 1
    studio.gpu_box.interfaces[0].unplug()
    second = listed(studio.desk)
    assert (second["services"], second["complete"]) == ([], True)
    assert second["elapsed_s"] < ABSENT_S
    studio.gpu_box.interfaces[0].plug()
    assert len(listed(studio.desk)["services"]) == 1


@pytest.mark.parametrize("by", ["a sidecar that signs", "an Avahi that does not"])
def test_at_a_warm_start_nothing_flickers(studio: Studio, backends: Backends, by: str) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    with ExitStack() as stack:
        if by == "a sidecar that signs":
            announced(studio.gpu_box, "comfyui", 8188)
        else:
            stack.enter_context(Avahi(studio.gpu_box, [STATIC], dbus=False))
        (first,) = listed(studio.desk)["services"]
        watch = Watch(studio.desk)
        # These are not remembered: whoever tells of them tells of them today.
        today = first["status"], first["trust"], first["properties"].get("gpu")
        assert today in (("online", "pinned", None), ("online", "unsigned", "RTX 4090"))

        def said(now: list[Json]) -> bool:
            return any((one["status"], one["trust"], one["properties"].get("gpu")) == today for one in now)

        watch.until(said, START_LIMIT_S, "its announcer speaks")
        told = watch.events
    assert [event for event, _ in told if event != "updated"] == ["added"]
    assert {service["id"] for _, service in told} == {first["id"]}
    assert told[-1][1]["status"] == "online"


def test_it_is_kept_in_the_state_folder_and_a_damaged_file_is_no_error(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    announced(studio.gpu_box, "comfyui", 8188)
    file = studio.desk.directory / "home" / "last_known.json"
    env = {"HYBRIDISCO_STATE": str(file.parent)}
    listed(studio.desk, env=env)
    (kept,) = json.loads(file.read_text("utf-8"))["services"]
    assert {place["address"] for place in kept["endpoints"]} <= set(studio.gpu_box.addresses)
    file.write_text("nonsense", "utf-8")
    assert len(listed(studio.desk, env=env)["services"]) == 1
    assert len(json.loads(file.read_text("utf-8"))["services"]) == 1


def test_a_library_user_may_want_nothing_kept(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    announced(studio.gpu_box, "comfyui", 8188)
    state = studio.desk.directory / "home" / "state"
    for remember in (False, True):
        done = studio.desk.run(
            python("-c", SEARCH, str(remember)), env={"HYBRIDISCO_STATE": str(state), "PYTHONPATH": str(REPOSITORY)}
        )
        assert done.stdout.strip() == "1"
        assert (state / "last_known.json").exists() is remember
