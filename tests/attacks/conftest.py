"""A studio under attack: a GPU box with a signing sidecar, somebody's desk, and a third machine with an attacker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.attacks.attacker import Attacker, Heard, attacker
from tests.e2e.app import Json, Watch, announced
from tests.e2e.backends import Backend, Backends
from tests.e2e.conftest import Studio, backends, studio
from tests.lab.fixtures import lab
from tests.lab.net import Host
from tests.lab.process import Process

__all__ = ["backends", "lab", "studio"]


@dataclass(slots=True)
class Scene:
    """A victim who is online and known, and an attacker who has heard all of it."""

    studio: Studio
    backend: Backend
    sidecar: Process
    watch: Watch
    mallory: Attacker
    fake: Backend
    """A ComfyUI of the attacker's, at the same port."""
    victim: Heard
    before: Json
    """The victim's entry before the attack."""

    @property
    def box(self) -> Host:
        return self.studio.gpu_box

    def entry(self, services: list[Json] | None = None) -> Json | None:
        """The victim's entry as it is now."""
        shown = self.watch.services if services is None else services
        return next((one for one in shown if one["id"] == self.victim.id), None)

    def fine(self, services: list[Json]) -> bool:
        """Whether the victim's entry is as it was: online, trusted, and only at its own addresses."""
        one = self.entry(services)
        return one is not None and one["status"] == "online" and self.at_home(one)

    def at_home(self, one: Json) -> bool:
        return {end["address"] for end in one["endpoints"]} <= set(self.box.addresses)

    def check_history(self) -> None:
        """It was there all the time, online or for a moment in doubt, and never anywhere else."""
        told = [(event, one) for event, one in self.watch.events if one["id"] == self.victim.id]
        first = next(number for number, (_, one) in enumerate(told) if one["status"] == "online")
        for event, one in told[first:]:
            assert event != "removed", f"it was taken away:\n{self.watch.process.log}"
            assert one["status"] in ("online", "busy", "stale"), one
            assert self.at_home(one), one


@pytest.fixture
def scene(studio: Studio, backends: Backends) -> Iterator[Scene]:
    """The attack can begin: the victim's key is known at the desk."""
    host = studio.lab.host("mallory")
    studio.lan.join(host)
    backend = backends(studio.gpu_box, "comfyui", 8188)
    fake = backends(host, "comfyui", 8188)
    sidecar = announced(studio.gpu_box, "comfyui", 8188)
    watch = Watch(studio.desk)
    (before,) = watch.until(
        lambda now: len(now) == 1 and now[0]["status"] == "online" and now[0].get("trust") == "pinned", 15, "pinned"
    )
    with attacker(host) as mallory:
        yield Scene(studio, backend, sidecar, watch, mallory, fake, mallory.overhear(), before)
