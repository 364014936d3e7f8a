"""A user opens the tab, clicks Discover, and looks at what is there. The pictures are kept for people to look at."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.app import announced
from tests.lab.host import REPOSITORY, Host
from tests.lab.net import Lab, lab_available
from tests.lab.process import Process
from tests.lab.require import require

from ..conftest import MOCK_LIMIT_S, mock
from ..rig import chroot
from ..rig.run import Script
from .run import start

pytestmark = [pytest.mark.netns, pytest.mark.timeout(300)]

PICTURES = Path(os.environ.get("HYBRIDISCO_SCREENSHOTS", REPOSITORY / "build" / "screenshots"))
LIMIT_S = 240.0
WANTED = [
    "offline.png",
    "nothing.png",
    "panel.png",
    "unreachable.png",
    "untrusted.png",
    "accept.png",
    "preferences.png",
]


@dataclass(frozen=True, slots=True)
class Tour:
    """What was told in the first window, and in the next."""

    first: Script
    again: Script


def gpu_box_comes_up(box: Host) -> Process:
    """Two backends, announced. Returns the sidecar of the first."""
    sidecars = []
    for kind, port in (("comfyui", 8188), ("wan2gp", 7860)):
        mock(box, kind, "--host", "0.0.0.0", "--port", str(port)).wait_for_log("Ctrl-C stops", MOCK_LIMIT_S)
        sidecars.append(announced(box, kind, port))
    return sidecars[0]


@pytest.fixture(scope="module")
def tour(addon: Path, tmp_path_factory: pytest.TempPathFactory) -> Tour:
    """Blender was toured to the end, and started once more."""
    if reason := chroot.missing():
        pytest.skip(f"Blender's window is not tested: {reason}")
    require(lab_available())
    work = tmp_path_factory.mktemp("window")
    shutil.copy(addon, work)
    with Lab() as lab:
        lan = lab.lan("10.77.0.0/24", "fd77::/64")
        gpu_box, desk = lab.host("gpu-box"), lab.host("desk")
        lan.join(gpu_box)
        lan.join(desk)
        script = start(desk, "tour.py", work, f"/work/{addon.name}", limit_s=LIMIT_S)
        try:
            script.wait_for("nothing")
            sidecar = gpu_box_comes_up(gpu_box)
            for kind in ("litellm", "rvc", "audioldm"):
                mock(desk, kind).wait_for_log("Ctrl-C stops", MOCK_LIMIT_S)
            (work / "go").touch()
            script.wait_for("unreachable")
            sidecar.stop()
            (key,) = gpu_box.directory.rglob("key.json")
            key.unlink()
            announced(gpu_box, "comfyui", 8188)
            script.finish()
            again = start(desk, "again.py", work, limit_s=LIMIT_S).finish()
        finally:
            PICTURES.mkdir(parents=True, exist_ok=True)
            for picture in (work / "pictures").glob("*.png"):
                shutil.copy(picture, PICTURES)
    return Tour(script, again)


def test_a_click_finds_what_is_there(tour: Tour) -> None:
    assert tour.first["nothing"]["rows"] == []
    found = {row["kind"]: row["status"] for row in tour.first["found"]["rows"]}
    assert found == dict.fromkeys(("comfyui", "wan2gp", "litellm", "rvc", "audioldm"), "online")
    assert set(tour.first["found"]["chosen"]) == {"comfyui"}
    assert len(tour.first.all_of("button")) == 2


def test_what_does_not_answer_is_shown_too(tour: Tour) -> None:
    assert [row["title"] for row in tour.first["unreachable"]["rows"] if row["status"] == "unreachable"] == [
        "Wan2GP in the attic"
    ]


def test_a_changed_key_is_told_and_can_be_accepted(tour: Tour) -> None:
    comfyui = tour.first["found"]["chosen"]["comfyui"]["service_id"]
    assert tour.first["asked"] == {"status": "untrusted", "selected": None}
    accepted = tour.first["accepted"]
    assert (accepted["active"], accepted["selected"]) == (comfyui, comfyui)


def test_at_the_next_start_it_is_all_there_and_checked_by_itself(tour: Tour) -> None:
    saved, restored, checked = (
        tour.first["saved"]["rows"],
        tour.again["restored"]["rows"],
        tour.again["checked"]["rows"],
    )
    assert len(saved) == 6
    assert {row["service_id"] for row in restored} == {row["service_id"] for row in saved}
    assert tour.again["restored"]["chosen"] == tour.first["found"]["chosen"]
    assert {row["service_id"]: row["status"] for row in checked} == {row["service_id"]: row["status"] for row in saved}


def test_there_is_a_picture_of_each_state(tour: Tour) -> None:
    assert [facts["name"] for facts in tour.first.all_of("picture")] == WANTED
    sizes = {name: (PICTURES / name).stat().st_size for name in WANTED}
    assert min(sizes.values()) > 20_000, f"a black picture? {sizes}"
