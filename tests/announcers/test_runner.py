"""A sidecar from its start to its end, as a service manager and a monitor see it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from announcers import gpu, runner, sidecar
from announcers.assignment import Assignment
from announcers.finder import Plan
from announcers.gpu import Gpu
from announcers.runner import Runner, Task
from announcers.service.job import STATUS_FILE
from hybridisco import AnnounceError, ConfigError, __version__
from hybridisco.kinds import BUILTIN
from tests.announcers.conftest import until
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio

KINDS = {kind.id: kind for kind in BUILTIN}
EVERYTHING = Task(Plan(BUILTIN))
COMFYUI = Task(Plan(BUILTIN), (Assignment(KINDS["comfyui"], 8188, "Pictures"),))


class Service:
    """A sidecar run in this process, and what it says of itself."""

    def __init__(self, folder: Path) -> None:
        self.task = EVERYTHING
        self.folder = folder
        self.file = folder / STATUS_FILE
        self.running: asyncio.Task[int] | None = None

    def read(self) -> Task:
        return self.task

    def start(self) -> None:
        self.running = asyncio.create_task(Runner(self.read, self.folder, self.file).run())

    @property
    def told(self) -> dict[str, Any]:
        """What the status file says; nothing while there is none."""
        return dict(json.loads(self.file.read_text())) if self.file.exists() else {"backends": []}

    def states(self) -> dict[str, str]:
        return {each["kind"]: each["state"] for each in self.told["backends"]}

    async def until(self, condition: Callable[[], object], what: str, limit_s: float = 10.0) -> None:
        """Wait until something is so; an end of the sidecar is an error at once."""

        def so() -> bool:
            if self.running is not None and self.running.done():
                self.running.result()
            return bool(condition())

        await until(so, limit_s, what)

    async def signalled(self, number: signal.Signals) -> int:
        """Stop it as a service manager does."""
        assert self.running is not None
        os.kill(os.getpid(), number)
        async with asyncio.timeout(10.0):
            return await self.running


@pytest.fixture
async def service(inside: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """A service on the GPU box, which has no GPU but what a test gives it, and looks more often."""
    monkeypatch.setattr(gpu, "read", lambda: None)
    monkeypatch.setattr(sidecar, "CHECK_EVERY_S", 0.05)
    monkeypatch.setattr(runner, "_SWEEP_EVERY_S", 0.1)
    made = Service(tmp_path / "state")
    yield made
    if made.running is not None and not made.running.done():
        made.running.cancel()
        await asyncio.gather(made.running, return_exceptions=True)


@pytest.mark.netns
async def test_what_a_monitor_sees_from_start_to_end(service: Service, inside: Studio, backends: Backends) -> None:
    mock = backends(inside.gpu_box, "comfyui", 8188)
    service.task = COMFYUI
    service.start()
    await service.until(lambda: service.states() == {"comfyui": "announced"}, "it is announced")
    told = service.told
    assert (told["schema"], told["pid"], told["version"]) == (1, os.getpid(), __version__)
    assert told["interfaces"] == ["eth0"]
    (one,) = told["backends"]
    assert (one["port"], one["name"], one["status"], one["reason"]) == (8188, "Pictures", "ready", None)
    assert "10.77.0.1" in one["addresses"]
    mock.stop()
    await service.until(lambda: service.states() == {"comfyui": "withdrawn"}, "it is withdrawn")
    (one,) = service.told["backends"]
    assert one["reason"].startswith("nothing listens on port 8188") and one["addresses"] == []
    assert await service.signalled(signal.SIGTERM) == signal.SIGTERM
    assert not service.file.exists()


@pytest.mark.netns
async def test_the_settings_are_read_again(
    service: Service, inside: Studio, backends: Backends, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "announcers")
    for kind, port in (("comfyui", 8188), ("wan2gp", 7860)):
        backends(inside.gpu_box, kind, port)
    service.task = replace(EVERYTHING, plan=Plan(BUILTIN, only=("comfyui",)))
    service.start()
    await service.until(lambda: service.states() == {"comfyui": "announced"}, "one is announced")
    service.task = replace(EVERYTHING, plan=Plan(BUILTIN, only=("wan2gp",)))
    os.kill(os.getpid(), signal.SIGHUP)
    await service.until(lambda: service.states() == {"wan2gp": "announced"}, "another is announced")
    assert await service.signalled(signal.SIGINT) == signal.SIGINT


@pytest.mark.netns
async def test_wrong_settings_change_nothing(
    service: Service, inside: Studio, backends: Backends, caplog: pytest.LogCaptureFixture
) -> None:
    backends(inside.gpu_box, "comfyui", 8188)
    answers: list[Task | ConfigError] = [COMFYUI]

    def read() -> Task:
        if isinstance(answers[-1], ConfigError):
            raise answers[-1]
        return answers[-1]

    service.running = asyncio.create_task(Runner(read, service.folder, service.file).run())
    await service.until(lambda: service.states() == {"comfyui": "announced"}, "it is announced")
    before = service.told
    answers.append(ConfigError("line 2: announce.kinds is no list"))
    os.kill(os.getpid(), signal.SIGHUP)
    await service.until(lambda: "The settings stay as they were: line 2" in caplog.text, "it is told")
    assert service.told == before


@pytest.mark.netns
async def test_reading_the_settings_again_leaves_the_backend_that_was_named(
    service: Service, inside: Studio, backends: Backends, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "announcers")
    backends(inside.gpu_box, "comfyui", 8188)
    service.task = COMFYUI
    service.start()
    await service.until(lambda: service.states() == {"comfyui": "announced"}, "it is announced")
    before = service.told
    os.kill(os.getpid(), signal.SIGHUP)
    await service.until(lambda: "The settings were read again." in caplog.text, "they were read")
    assert service.told == before
    assert "Withdrawn" not in caplog.text


@pytest.mark.netns
async def test_where_nothing_runs_that_is_said(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "announcers")
    service.start()
    await service.until(lambda: "No backend runs on this machine yet" in caplog.text, "it is said")
    assert service.told["backends"] == []


@pytest.mark.netns
async def test_an_id_that_cannot_be_kept_is_told_once_for_what_is_found(
    service: Service, inside: Studio, backends: Backends, caplog: pytest.LogCaptureFixture
) -> None:
    mock = backends(inside.gpu_box, "comfyui", 8188)
    service.folder.write_text("a file, where a folder should be")
    service.file = service.folder.with_name("status.json")
    service.start()
    await service.until(lambda: "Not announced: ComfyUI on port 8188: " in caplog.text, "it is told")
    sweeps = len(mock.mock.calls)
    await service.until(lambda: len(mock.mock.calls) >= 3 * sweeps, "it was found again")
    assert caplog.text.count("Not announced: ComfyUI on port 8188") == 1


@pytest.mark.netns
async def test_an_id_that_cannot_be_kept_ends_what_was_named(service: Service) -> None:
    service.folder.write_text("a file, where a folder should be")
    service.file = service.folder.with_name("status.json")
    service.task = COMFYUI
    service.start()
    assert service.running is not None
    with pytest.raises(AnnounceError, match="HYBRIDISCO_STATE"):
        async with asyncio.timeout(10.0):
            await service.running
    assert not service.file.exists()


@pytest.mark.netns
async def test_a_driver_that_hangs_does_not_keep_it_from_announcing(
    service: Service, inside: Studio, backends: Backends, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    release = threading.Event()

    def hang() -> Gpu | None:
        release.wait(30.0)
        return None

    monkeypatch.setattr(gpu, "read", hang)
    monkeypatch.setattr(runner, "_GPU_LIMIT_S", 0.01)
    backends(inside.gpu_box, "comfyui", 8188)
    service.start()
    try:
        await service.until(lambda: service.states() == {"comfyui": "announced"}, "it is announced")
    finally:
        release.set()
    assert "The GPU's driver does not answer" in caplog.text


@pytest.mark.netns
async def test_it_says_that_it_lives(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "TOUCH_S", 0.01)
    service.start()
    await service.until(service.file.exists, "it says what it does")
    os.utime(service.file, (1_000_000_000, 1_000_000_000))
    await service.until(lambda: service.file.stat().st_mtime > 1_600_000_000, "it is touched")
    service.file.unlink()
    await service.until(service.file.exists, "what was removed is written again")
