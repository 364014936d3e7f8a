"""The sidecar as a service of a machine that a real systemd runs, seen from another machine."""

from __future__ import annotations

import json

import pytest

from tests.e2e.app import Json, Watch
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio
from tests.lab.require import require
from tests.lab.systemd import Systemd, systemd_available
from tests.lab.wait import wait_until

pytestmark = [pytest.mark.netns, pytest.mark.peers, pytest.mark.timeout(180)]

UNIT = "hybridisco-announce"
RESTART_S = 15.0 + 10.0  # RestartSec, and what Python, its imports and the first look take


@pytest.fixture(autouse=True)
def _systemd_is_here() -> None:
    require(systemd_available())


def status(box: Systemd) -> tuple[int, Json]:
    done = box.run("hybridisco", "announce", "status", "--json", check=False)
    return done.returncode, json.loads(done.stdout)


def test_a_year_in_short(studio: Studio, backends: Backends) -> None:
    """Installed, seen, killed, seen again under its id, reloaded, removed: without a trace but the ids."""
    backends(studio.gpu_box, "comfyui", 8188)
    watch = Watch(studio.desk)
    with Systemd(studio.gpu_box) as box:
        said = box.run("hybridisco", "announce", "install").stdout
        assert "Wrote   /etc/systemd/system/hybridisco-announce.service" in said
        (seen,) = watch.until_online()
        assert (seen["kind"], seen["name"]) == ("comfyui", "ComfyUI on gpu-box")
        assert (box.show(UNIT, "ActiveState"), box.show(UNIT, "SubState")) == ("active", "running")

        # The last of its first announcements is sent a second after the first.
        wait_until(lambda: box.show(UNIT, "StatusText").startswith("1 of 1"), 5, "it says that it is announced")
        told = status(box)[1]
        assert told["running"]
        assert [one["kind"] for one in told["backends"] if one["state"] == "announced"] == ["comfyui"]

        pid = int(box.show(UNIT, "MainPID"))
        process = box.run("cat", f"/proc/{pid}/status").stdout
        assert "Uid:\t0\t" not in process
        assert "CapEff:\t0000000000000000" in process
        assert "NoNewPrivs:\t1" in process

        box.run("systemctl", "reload", UNIT)
        assert int(box.show(UNIT, "MainPID")) == pid

        box.run("systemctl", "kill", "--signal=KILL", UNIT)
        # The backend lives on, so the desk sees no difference; the machine does.
        wait_until(lambda: box.show(UNIT, "NRestarts") == "1", RESTART_S, "systemd starts it again")
        wait_until(lambda: box.show(UNIT, "StatusText").startswith("1 of 1"), RESTART_S, "it is announced again")
        assert int(box.show(UNIT, "MainPID")) not in (0, pid)
        assert [one["id"] for one in watch.services] == [seen["id"]]

        box.run("hybridisco", "announce", "uninstall")
        watch.until_gone(3)
        assert box.run("systemctl", "cat", UNIT, check=False).returncode != 0
        assert box.run("hybridisco", "announce", "status", check=False).returncode == 1
        box.run("hybridisco", "announce", "install")
        assert watch.until_online()[0]["id"] == seen["id"]
