"""What a sidecar says from its start to its end: each change once, and nothing that was not seen."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

import pytest

from announcers import sidecar as module
from announcers.assignment import Assignment
from announcers.sidecar import Sidecar, _what_changed
from hybridisco import SERVICE_TYPE as TYPE
from hybridisco import AnnounceError, NetworkInterface
from hybridisco.kinds import BUILTIN
from tests.announcers.conftest import Ear, until
from tests.e2e import liar
from tests.e2e.app import START_LIMIT_S, Watch, announce, announced
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio
from tests.e2e.liar import SRV, A
from tests.lab.net import Lab

pytestmark = pytest.mark.netns

NEXT_LOOK_S = 5.5 + 3.0
ON = "Looked at again every few seconds; Ctrl-C ends."


def test_from_waiting_to_goodbye(lab: Lab, backends: Backends) -> None:
    """A machine that has no network at first, then one; its backend is up all the time."""
    box = lab.host("gpu-box")
    backends(box, "comfyui", 8188, "0.0.0.0")
    sidecar = announce(box, "comfyui", 8188)
    sidecar.wait_for_log(ON, START_LIMIT_S)
    lab.lan("10.77.0.0/24").join(box)
    sidecar.wait_for_log("Announced: ", NEXT_LOOK_S)
    sidecar.stop(signal.SIGINT)
    first, waiting, there, end = sidecar.log.split("\n")[:4]
    assert first == "Looking at ComfyUI on port 8188 …"
    assert waiting.startswith("Not announced: this machine has no network to announce ComfyUI on")
    assert there.startswith("Announced: ComfyUI on gpu-box (ComfyUI, port 8188, 10.77.0.1")
    assert end == "Withdrawn: ComfyUI on gpu-box; goodbye."
    assert "this machine only" not in sidecar.log


def test_who_was_never_announced_stops_quietly(studio: Studio, backends: Backends) -> None:
    sidecar = announce(studio.gpu_box, "rvc", 7865)
    sidecar.wait_for_log(ON, START_LIMIT_S)
    backends(studio.gpu_box, "web", 7865)
    sidecar.wait_for_log("Not announced: on port 7865 answers a web server", NEXT_LOOK_S)
    sidecar.stop()
    assert sidecar.popen.returncode == 0
    assert sidecar.log.endswith("\nStopped.\n")
    assert len(re.findall(re.escape(ON), sidecar.log)) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--tls",), "does not speak TLS .* Try without --tls"),
        (("--path", "nope"), "answers at http://10.77.0.1:8188/nope, but no ComfyUI is under that path"),
    ],
)
def test_a_wrong_flag_is_named(studio: Studio, backends: Backends, arguments: tuple[str, ...], words: str) -> None:
    backends(studio.gpu_box, "comfyui", 8188, "0.0.0.0")
    sidecar = announce(studio.gpu_box, "comfyui", 8188, *arguments)
    sidecar.wait_for_log(f"Not announced: .*{words}", START_LIMIT_S)


def test_the_name_that_is_withdrawn_is_the_one_that_was_announced(studio: Studio, backends: Backends) -> None:
    for host in (studio.gpu_box, studio.desk):
        backends(host, "comfyui", 8188)
    watch = Watch(studio.desk)
    announced(studio.desk, "comfyui", 8188, "--name", "Pictures")
    watch.until(lambda now: any(one["name"] == "Pictures" for one in now), START_LIMIT_S, "the first is there")
    second = announced(studio.gpu_box, "comfyui", 8188, "--name", "Pictures")
    second.stop()
    assert "Announced: Pictures-2 (" in second.log
    assert second.log.endswith("Withdrawn: Pictures-2; goodbye.\n")


# -- inside of one process: what the sidecar itself knows ---------------------------------------------

QUICK_S = 0.05
KINDS = {kind.id: kind for kind in BUILTIN}


class Running:
    """A sidecar that runs in this process, looking more often than it would."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "CHECK_EVERY_S", QUICK_S)
        self.changes = 0
        self.sidecar = Sidecar(BUILTIN, folder, changed=self._count)
        self.task: asyncio.Task[None] | None = None

    def _count(self) -> None:
        self.changes += 1

    def start(self) -> None:
        self.task = asyncio.create_task(self.sidecar.run())

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def running(inside: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    made = Running(tmp_path, monkeypatch)
    yield made
    await made.stop()


async def test_a_backend_that_stops_is_withdrawn_and_comes_back(
    running: Running, inside: Studio, backends: Backends, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "announcers")
    mock = backends(inside.gpu_box, "comfyui", 8188)
    backend = running.sidecar.add(Assignment(KINDS["comfyui"], 8188, "Pictures"))
    running.start()
    await until(lambda: backend.announced, 5.0, "it is announced")
    mock.fail("starting")
    await until(lambda: backend.status == "starting", 5.0, "it loads")
    assert backend.announced is not None
    mock.stop()
    await until(lambda: not backend.announced, 5.0, "it is withdrawn")
    changes = running.changes
    mock.start()
    await until(lambda: backend.announced, 5.0, "it is back")
    assert running.changes > changes
    await running.stop()
    said = [record.getMessage() for record in caplog.records]
    assert [line.partition(" (")[0] for line in said if "nnounced: P" in line or line.startswith("Withdrawn")] == [
        "Announced: Pictures", "Withdrawn: Pictures", "Announced: Pictures", "Withdrawn: Pictures; goodbye.",
    ]  # fmt: skip


async def test_one_that_was_found_is_forgotten_when_it_is_gone(
    running: Running, inside: Studio, backends: Backends
) -> None:
    mocks = [backends(inside.gpu_box, "comfyui", port) for port in (8188, 8189)]
    named = running.sidecar.add(Assignment(KINDS["comfyui"], 8188))
    running.start()
    found = running.sidecar.add(Assignment(KINDS["comfyui"], 8189), found=True)
    running.sidecar.wake()
    assert running.sidecar.tends(8189) and found.name == f"{named.name} (8189)"
    await until(lambda: named.announced and found.announced, 5.0, "both are announced")
    for mock in mocks:
        mock.stop()
    await until(lambda: not running.sidecar.tends(8189), 5.0, "it is forgotten")
    await until(lambda: not named.announced, 5.0, "the other is withdrawn")
    assert running.sidecar.tends(8188), "what the user named is waited for"
    assert found.announced is None


async def test_what_is_no_longer_asked_for_is_withdrawn(
    running: Running, inside: Studio, backends: Backends, ear: Ear
) -> None:
    backends(inside.gpu_box, "comfyui", 8188)
    backend = running.sidecar.add(Assignment(KINDS["comfyui"], 8188, "Pictures"))
    running.start()
    await until(lambda: backend.announced, 5.0, "it is announced")
    await running.sidecar.remove(("comfyui", 8188))
    await until(lambda: [record for record in ear.heard(SRV, "Pictures." + TYPE) if record.ttl <= 1], 3.0, "goodbye")
    await running.sidecar.remove(("comfyui", 8188))  # twice does no harm
    assert not running.sidecar.backends


async def test_a_network_that_goes_and_comes(running: Running, inside: Studio, backends: Backends, ear: Ear) -> None:
    backends(inside.gpu_box, "comfyui", 8188)
    backend = running.sidecar.add(Assignment(KINDS["comfyui"], 8188, "Pictures"))
    running.start()
    await until(lambda: backend.announced, 5.0, "it is announced")
    (card,) = inside.gpu_box.interfaces
    card.down()
    card.remove_address("10.77.0.1/24")
    await until(lambda: not backend.announced, 5.0, "there is nobody to tell")
    await until(lambda: running.sidecar.network == (), 5.0, "the network is gone")
    assert backend.phase == "announced", "the backend is not to blame"
    ear.records.clear()
    card.up()
    card.add_address("10.77.0.1/24")
    await until(lambda: backend.announced, 8.0, "it is there again")
    await until(lambda: ear.heard(SRV, "Pictures." + TYPE), 3.0, "and is heard")


async def test_another_address_is_told_within_seconds(
    running: Running, inside: Studio, backends: Backends, ear: Ear
) -> None:
    backends(inside.gpu_box, "comfyui", 8188)
    backend = running.sidecar.add(Assignment(KINDS["comfyui"], 8188, "Pictures"))
    running.start()
    await until(lambda: backend.announced, 5.0, "it is announced")
    (card,) = inside.gpu_box.interfaces
    card.add_address("10.77.0.99/24")
    new = ip_interface("10.77.0.99/24").ip.packed
    await until(lambda: [one for one in ear.heard(A) if one.address == new], 5.0, "the new address is heard")
    assert backend.announced is not None and "10.77.0.99" in backend.announced.addresses


async def test_a_look_that_goes_wrong_does_not_end_it(
    running: Running, inside: Studio, backends: Backends, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    backends(inside.gpu_box, "comfyui", 8188)
    broken = asyncio.Event()

    async def fail(*_: object, **__: object) -> None:
        broken.set()
        raise RuntimeError("a bug")

    backend = running.sidecar.add(Assignment(KINDS["comfyui"], 8188))
    with monkeypatch.context() as patched:
        patched.setattr("announcers.backend.look", fail)
        running.start()
        await broken.wait()
    await until(lambda: backend.announced, 5.0, "it is looked at again")
    assert "A look at port 8188 went wrong; it is repeated." in caplog.text and "RuntimeError: a bug" in caplog.text


async def test_who_can_never_speak_ends_and_says_why(running: Running, inside: Studio, backends: Backends) -> None:
    backends(inside.gpu_box, "comfyui", 8188)
    running.sidecar.add(Assignment(KINDS["comfyui"], 8188))
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder,
        pytest.raises(AnnounceError, match="another program holds UDP port 5353"),
    ):
        holder.bind(("", 5353))
        async with asyncio.timeout(10.0):
            await running.sidecar.run()


async def test_a_name_that_is_lost_to_a_rival_is_followed(
    running: Running, inside: Studio, backends: Backends, ear: Ear
) -> None:
    backends(inside.gpu_box, "comfyui", 8188)
    backend = running.sidecar.add(Assignment(KINDS["comfyui"], 8188, "Pictures"))
    running.start()
    await until(lambda: backend.announced, 5.0, "it is announced")
    before = (backend.id, running.changes)
    target = struct.pack("!HHH", 0, 0, 65000) + liar.name((b"other", b"local"))
    ear.say(liar.response(liar.record((b"Pictures", *liar.TYPE), liar.SRV, liar.IN | liar.FLUSH, target)))
    await until(lambda: backend.name == "Pictures-2", 5.0, "it has another name")
    assert backend.id == before[0] and running.changes > before[1]


def test_a_change_of_the_network_in_words() -> None:
    card, same, other = (NetworkInterface(name, 2, (ip_interface("10.0.0.1/8"),)) for name in ("a", "b", "c"))
    moved = replace(card, addresses=(ip_interface("10.0.0.2/8"),))
    before, now = ((card, "up"), (same, "up")), ((moved, "up"), (same, "up"), (other, "up"))
    assert _what_changed(before, now) == "The network has changed: c is new, a changed."
    assert _what_changed(now, before[:1]) == "The network has changed: b is gone, c is gone, a changed."
    assert _what_changed(((card, "up"),), ((card, "down"),)) == "The network has changed: a changed."
