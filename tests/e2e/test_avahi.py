"""Beside Avahi: each finds what the other announces, and neither disturbs the other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.e2e.app import Watch, announced, listed
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio
from tests.lab.avahi import Avahi, StaticService, avahi_available
from tests.lab.require import require
from tests.lab.wait import wait_until

pytestmark = [pytest.mark.netns, pytest.mark.peers]

TYPE = "_hybridisco._tcp"
ID = "abcdefghijklmnopqrstuvwxyz"
TXT = ("txtvers=1", f"id={ID}", "kind=rvc")


@pytest.fixture(autouse=True)
def _avahi_is_here() -> None:
    require(avahi_available())


def run(avahi: Avahi, *argv: str) -> str:
    """Run one of Avahi's programs beside its daemon."""
    bus = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={avahi.host.directory}/avahi/bus"}
    return avahi.host.run(argv, env=bus).stdout


def test_avahi_finds_our_sidecar_with_its_subtype_and_all_of_its_txt_record(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "comfyui", 8188, gpu="NVIDIA RTX 4090", vram_mib=24564, queue=11)
    with Avahi(studio.desk) as avahi:
        sidecar = announced(studio.gpu_box, "comfyui", 8188, "--name", "Rendering; <big>")
        found = avahi.browse(TYPE)
        assert {record.protocol for record in found} == {"IPv4", "IPv6"}
        seen = found[0]
        assert (seen.name, seen.port) == ("Rendering; <big>", 8188)
        txt = dict(each.split("=", 1) for each in seen.txt)
        assert len(txt.pop("id")) == 26
        assert 1024 <= int(txt.pop("live")) < 65536
        assert [len(txt.pop(key)) for key in ("key", "sig")] == [43, 86]
        assert int(txt.pop("at")) and txt.pop("ads")
        assert txt == {
            "txtvers": "1",
            "kind": "comfyui",
            "ver": "0.3.64",
            "st": "busy",
            "cap": "image,video,audio",
            "gpu": "NVIDIA RTX 4090",
            "vram": "24564",
        }
        assert run(avahi, "avahi-resolve", "-4", "-n", str(seen.host)).split()[1] == "10.77.0.1"
        assert run(avahi, "avahi-resolve", "-6", "-n", str(seen.host)).split()[1] in studio.gpu_box.addresses
        assert {record.name for record in avahi.browse(f"_comfyui._sub.{TYPE}")} == {"Rendering; <big>"}
        assert avahi.browse(f"_rvc._sub.{TYPE}", resolve=False) == []
        types = run(avahi, "avahi-browse", "-aptk")
        assert f";{TYPE};local" in types
        assert "_sub" not in types
        sidecar.stop()
        for gone in (TYPE, f"_comfyui._sub.{TYPE}"):
            wait_until(lambda gone=gone: not avahi.browse(gone, resolve=False), 5, f"a goodbye for {gone}")


def test_a_new_version_is_told(studio: Studio, backends: Backends) -> None:
    backend = backends(studio.gpu_box, "comfyui", 8188)
    with Avahi(studio.desk) as avahi:
        sidecar = announced(studio.gpu_box, "comfyui", 8188)
        assert "ver=0.3.64" in avahi.browse(TYPE)[0].txt
        backend.mock.options = replace(backend.mock.options, version="0.4.0")
        sidecar.wait_for_log("Announcement changed: ver=0.4.0", 3 * 5.5)  # at most one change in 10 s
        wait_until(lambda: "ver=0.4.0" in avahi.browse(TYPE)[0].txt, 3, "Avahi knows the new version")


def test_we_find_what_avahi_announces_and_check_it_by_contact(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "rvc", 7865)
    backends(studio.gpu_box, "wan2gp", 7860, fault="locked")
    services = (
        StaticService("Voices on %h", TYPE, 7865, txt=TXT),
        StaticService("Film on %h", TYPE, 7860, subtypes=(f"_wan2gp._sub.{TYPE}",), txt=["txtvers=1", "kind=wan2gp"]),
        StaticService("Off on %h", TYPE, 8188, txt=["txtvers=1", "kind=comfyui"]),
        StaticService("Wrong on %h", TYPE, 7865, txt=["txtvers=1", "kind=audioldm", "path=/sound"]),
    )
    with Avahi(studio.gpu_box, services) as avahi, avahi.publish("Plain", TYPE, 7865, ["kind=rvc", "path=/two"]):
        document = listed(studio.desk)
        assert document["complete"]
        found = {one["name"]: one for one in document["services"]}
        voices = found["Voices on gpu-box"]
        assert (voices["id"], voices["kind"], voices["host"]) == (ID, "rvc", "gpu-box.local")
        assert (voices["status"], voices["verified"], voices["sources"]) == ("online", True, ["mdns", "probe"])
        assert {end["address"] for end in voices["endpoints"]} >= {"10.77.0.1", "fd77::1"}
        assert (found["Film on gpu-box"]["kind"], found["Film on gpu-box"]["status"]) == ("wan2gp", "locked")
        off = found["Off on gpu-box"]
        assert (off["status"], off["verified"], off["sources"]) == ("unreachable", False, ["mdns"])
        assert "--listen" in off["problem"]
        assert found["Wrong on gpu-box"]["status"] in ("mismatch", "online")
        assert found["Plain"]["kind"] == "rvc"


def test_a_sidecar_leaves_avahi_on_its_own_machine_its_host_name(studio: Studio, backends: Backends) -> None:
    second = studio.lab.lan("10.78.0.0/24", "fd78::/64")
    second.join(studio.gpu_box)
    backends(studio.gpu_box, "comfyui", 8188)
    ssh = StaticService("SSH", "_ssh._tcp", 22)
    with Avahi(studio.gpu_box, [ssh], dbus=False) as avahi, Avahi(studio.desk) as other:
        watch = Watch(studio.desk)
        announced(studio.gpu_box, "comfyui", 8188)
        (seen,) = watch.until_online()
        assert seen["host"] == "gpu-box.local"
        # On each link only its own addresses.
        assert {end["address"] for end in seen["endpoints"]} == set(studio.gpu_box.interfaces[0].addresses)
        (record, *_) = other.browse(TYPE)
        assert run(other, "avahi-resolve", "-4", "-n", str(record.host)).split()[1] == "10.77.0.1"
        assert run(other, "avahi-resolve", "-4", "-n", "gpu-box.local").split()[1] == "10.77.0.1"
        assert {record.host for record in other.browse("_ssh._tcp")} == {"gpu-box.local"}
        assert "conflict" not in avahi.daemon.log.lower()


def test_a_service_of_this_machine_is_one_entry_beside_avahi_and_a_sidecar(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "rvc", 7865)
    with Avahi(studio.gpu_box, [StaticService("Voices on %h", TYPE, 7865, txt=["txtvers=1", "kind=rvc"])], dbus=False):
        announced(studio.gpu_box, "rvc", 7865)
        (seen,) = listed(studio.gpu_box)["services"]
        assert (seen["kind"], seen["sources"], seen["status"]) == ("rvc", ["mdns", "probe"], "online")
        assert len(seen["id"]) == 26
        assert {"127.0.0.1", "10.77.0.1"} <= {end["address"] for end in seen["endpoints"]}
        assert seen["url"] == "http://127.0.0.1:7865"
        (seen,) = listed(studio.desk)["services"]
        assert (seen["kind"], seen["status"]) == ("rvc", "online")


def test_one_id_at_two_hosts_is_two_services_and_a_warning(studio: Studio, backends: Backends) -> None:
    other = studio.lab.host("other")
    studio.lan.join(other)
    for host in (studio.gpu_box, other):
        backends(host, "rvc", 7865)
    service = StaticService("Voices on %h", TYPE, 7865, txt=TXT)
    with Avahi(studio.gpu_box, [service], dbus=False), Avahi(other, [service], dbus=False):
        found = listed(studio.desk)["services"]
    assert sorted(one["host"] for one in found) == ["gpu-box.local", "other.local"]
    assert len({one["id"] for one in found}) == 2
    for one in found:
        assert (one["status"], one["kind"]) == ("online", "rvc")
        assert ID in one["problem"]
        assert "copied" in one["problem"]
