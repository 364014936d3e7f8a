"""Fixtures: the built extension, each Blender, and a LAN with a GPU box and a desk where somebody uses Blender."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

import hybridisco
from tests.e2e.app import announced, command
from tests.lab.host import REPOSITORY, Host
from tests.lab.net import Lab, Lan, lab_available
from tests.lab.process import Process
from tests.lab.require import require

from .rig import setup
from .rig.run import Blender

MOCK_LIMIT_S = 15.0
HIDDEN = "http://127.0.0.1:9123"  # no kind's port, and not in the range that is searched

VERSIONS = tuple(setup.VERSIONS)


class DaysTogether(LoadScopeScheduling):
    """Shares the tests out among the workers; those that look at the same two days of one Blender go to one worker.

    ``--dist loadgroup`` is to do that, but pytest 9.2 ignores the names that pytest-xdist 3.8 gives to tests for it.
    """

    def _split_scope(self, nodeid: str) -> str:
        version = re.search(r"test_days.*\[([\d.]+)", nodeid)
        return version[1] if version else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> DaysTogether:
    """Use it, where several workers run."""
    return DaysTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here waits for whole programs; each program has a limit of its own, well within this one."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="session")
def addon() -> Path:
    """The extension as a user gets it: what `make addon` built, or ``$HYBRIDISCO_ADDON``."""
    built = REPOSITORY / "dist" / f"hybridisco-{hybridisco.__version__}.zip"
    path = Path(os.environ.get("HYBRIDISCO_ADDON", built))
    require(None if path.is_file() else f"{path} is not there; run: make addon")
    return path


@dataclass(frozen=True, slots=True)
class Studio:
    """Two machines on one LAN. ComfyUI is announced by the GPU box; LiteLLM and RVC run at the desk, unannounced."""

    lab: Lab
    lan: Lan
    gpu_box: Host
    desk: Host
    comfyui: Process
    sidecar: Process


@contextmanager
def open_studio() -> Iterator[Studio]:
    """A studio with everything in it running."""
    require(lab_available())
    with Lab() as lab:
        lan = lab.lan("10.77.0.0/24", "fd77::/64")
        gpu_box, desk = lab.host("gpu-box"), lab.host("desk")
        lan.join(gpu_box)
        lan.join(desk)
        comfyui = mock(gpu_box, "comfyui", "--host", "0.0.0.0")
        for process in (mock(desk, "litellm"), mock(desk, "rvc", "--port", HIDDEN.rpartition(":")[2]), comfyui):
            process.wait_for_log("Ctrl-C stops", MOCK_LIMIT_S)
        yield Studio(lab, lan, gpu_box, desk, comfyui, announced(gpu_box, "comfyui", 8188))


def mock(host: Host, *arguments: str) -> Process:
    """Start mock backends by the command line; they may not listen yet."""
    return host.start(command("mock", *arguments))


@pytest.fixture
def studio() -> Iterator[Studio]:
    """A studio for one test."""
    with open_studio() as made:
        yield made


@pytest.fixture(params=VERSIONS)
def blender(request: pytest.FixtureRequest, studio: Studio, tmp_path: Path) -> Blender:
    """Each Blender in turn, fresh, at the studio's desk."""
    return blender_at(studio.desk, request.param, tmp_path)


def blender_at(host: Host, version: str, home: Path) -> Blender:
    """A Blender that nobody has used; the test is skipped, in CI too, where this version cannot be had.

    That is named in the summary; ``test_rig.py`` sees to it that some version is there.
    """
    if reason := setup.missing(version):
        pytest.skip(reason)
    return Blender(version, home, host)
