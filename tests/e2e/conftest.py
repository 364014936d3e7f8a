"""Fixtures: a lab, and mock backends for its hosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.backends import Backends
from tests.lab.fixtures import lab
from tests.lab.net import Host, Lab, Lan

__all__ = ["backends", "lab"]


@pytest.fixture
def backends() -> Iterator[Backends]:
    """Starts mock backends in lab hosts: ``backends(host, "comfyui", 8188)``."""
    with Backends() as running:
        yield running


@dataclass(frozen=True, slots=True)
class Studio:
    """Two machines on one LAN, with both families: a GPU box, and the desk of somebody who looks for it."""

    lab: Lab
    lan: Lan
    gpu_box: Host
    desk: Host


@pytest.fixture
def studio(lab: Lab) -> Studio:
    """The usual place."""
    lan = lab.lan("10.77.0.0/24", "fd77::/64")
    gpu_box, desk = lab.host("gpu-box"), lab.host("desk")
    lan.join(gpu_box)
    lan.join(desk)
    return Studio(lab, lan, gpu_box, desk)
