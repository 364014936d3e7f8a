"""The static service file: what xmllint says of it, and what becomes of it in a real Avahi."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as Xml
from dataclasses import dataclass
from pathlib import Path

import pytest

from announcers.service.avahi import StaticEntry, avahi_xml
from hybridisco import AnnounceError, TxtRecord, UsageError
from tests.e2e.app import listed
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio, backends, studio
from tests.lab.avahi import Avahi, StaticService, avahi_available
from tests.lab.fixtures import lab
from tests.lab.require import require

__all__ = ["backends", "lab", "studio"]

DTD = Path("/usr/share/avahi/avahi-service.dtd")
TYPE = "_hybridisco._tcp"
PLAIN = StaticEntry("ComfyUI on %h", 8188, TxtRecord(kind="comfyui"))
ODD = StaticEntry(
    "A <b> & \"c\" ]]> 100% 'd' ü 絵",
    65535,
    TxtRecord(
        id="abcdefghijklmnopqrstuvwxyz",
        kind="my-kind",
        version='1 <&> "2"',
        path="/a/b",
        tls=True,
        auth="key",
        state="ready",
        capabilities=("image", "text"),
        gpu="RTX <4090> & co",
        vram=24564,
    ),
)


@pytest.mark.parametrize("entry", [PLAIN, ODD], ids=["plain", "odd"])
def test_it_is_valid_by_the_dtd_that_avahi_ships(tmp_path: Path, entry: StaticEntry) -> None:
    require(None if shutil.which("xmllint") else "not installed: xmllint (Debian: libxml2-utils)")
    require(None if DTD.exists() else f"there is no {DTD} (Debian: avahi-daemon)")
    file = tmp_path / entry.file_name
    file.write_text(avahi_xml(entry), encoding="utf-8")
    shutil.copy(DTD, tmp_path)  # the file names it without a folder
    argv = ["xmllint", "--noout", "--nonet", "--valid", str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_names_and_values_are_read_as_they_were_given() -> None:
    root = Xml.fromstring(avahi_xml(ODD))
    assert root.findtext("name") == ODD.name
    records = [record.text for record in root.iter("txt-record")]
    assert records[:3] == ["txtvers=1", "id=abcdefghijklmnopqrstuvwxyz", "kind=my-kind"]
    assert "gpu=RTX <4090> & co" in records
    assert root.findtext("service/subtype") == f"_my-kind._sub.{TYPE}"


def test_only_a_name_with_the_hosts_place_in_it_is_a_pattern() -> None:
    assert '<name replace-wildcards="yes">ComfyUI on %h</name>' in avahi_xml(PLAIN)
    assert "replace-wildcards" not in avahi_xml(ODD)


def test_each_backend_has_a_file_of_its_own() -> None:
    assert PLAIN.file_name == "hybridisco-comfyui-8188.service"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (StaticEntry("x", 8188, TxtRecord()), "must say its kind"),
        (StaticEntry("x", 0, TxtRecord(kind="rvc")), "no port"),
        (StaticEntry("", 80, TxtRecord(kind="rvc")), "no name"),
        (StaticEntry("a\nb", 80, TxtRecord(kind="rvc")), "no name"),
        (StaticEntry("ü" * 32, 80, TxtRecord(kind="rvc")), "63 bytes"),
        (StaticEntry("x", 80, TxtRecord(kind="Not a kind")), "kind=Not a kind"),
        (StaticEntry("x", 80, TxtRecord(kind="rvc", path="/../x")), "path"),
    ],
)
def test_what_cannot_be_announced_is_refused(entry: StaticEntry, words: str) -> None:
    with pytest.raises((UsageError, AnnounceError), match=words):
        avahi_xml(entry)


@dataclass(frozen=True, slots=True)
class Generated(StaticService):
    """A file of Avahi's that we have written."""

    text: str = ""

    def xml(self) -> str:
        return self.text


@pytest.mark.netns
@pytest.mark.peers
def test_avahi_announces_it_as_a_full_citizen(studio: Studio, backends: Backends) -> None:
    require(avahi_available())
    backends(studio.gpu_box, "comfyui", 8188)
    voices = StaticEntry('Voices & <co> "x"', 7865, TxtRecord(kind="rvc", id="abcdefghijklmnopqrstuvwxyz"))
    files = [Generated(entry.name, TYPE, entry.port, text=avahi_xml(entry)) for entry in (PLAIN, voices)]
    with Avahi(studio.gpu_box, files) as avahi:
        found = {one["name"]: one for one in listed(studio.desk)["services"]}
        assert set(found) == {"ComfyUI on gpu-box", voices.name}
        comfyui = found["ComfyUI on gpu-box"]
        assert (comfyui["kind"], comfyui["status"], comfyui["host"]) == ("comfyui", "online", "gpu-box.local")
        assert (comfyui["verified"], comfyui["sources"]) == (True, ["mdns", "probe"])
        assert (found[voices.name]["id"], found[voices.name]["status"]) == (voices.record.id, "unreachable")
        by_kind = avahi.browse(f"_comfyui._sub.{TYPE}")
        assert {(record.name, record.port) for record in by_kind} == {("ComfyUI on gpu-box", 8188)}
