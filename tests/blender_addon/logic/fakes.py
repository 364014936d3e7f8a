"""A discovery that does what a test says."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace

from blender_addon.logic.trust import KeyChange
from hybridisco import Config, ManualEntry, Service, Snapshot


class FakeDiscovery:
    """Stands for :class:`hybridisco.DiscoveryThread`; ``ends`` is whether its thread ends as soon as it is told to."""

    def __init__(self, config: Config, *, ends: bool = True) -> None:
        self.config = config
        self.error: Exception | None = None
        self.running = False
        self.complete = False
        self.revision = 0
        self.snapshot = Snapshot()
        self.states: object = ()
        self.snapshots_taken = 0
        self.rescans = 0
        self.entries: tuple[ManualEntry, ...] | None = None
        self.changes: dict[str, tuple[KeyChange, ...]] = {}
        self.accepted: list[tuple[str, str | None]] = []
        self._ends = ends

    def __getattribute__(self, name: str) -> object:
        if name == "snapshot":
            self.snapshots_taken += 1
        return super().__getattribute__(name)

    def start(self) -> None:
        self.running = True

    def stop(self, timeout_s: float = 2.0) -> bool:
        if self._ends or timeout_s > 0:
            self.running = False
        return not self.running

    def rescan(self) -> None:
        self.rescans += 1
        self.complete = False

    def set_services(self, entries: Sequence[ManualEntry]) -> None:
        self.entries = tuple(entries)

    def key_changes(self, service_id: str) -> tuple[KeyChange, ...]:
        return self.changes.get(service_id, ())

    def accept_key(self, service_id: str, key: str | None = None) -> Future[None]:
        self.accepted.append((service_id, key))
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def finds(self, *services: Service, complete: bool = False, **changes: object) -> None:
        """Something changed: these are the services now."""
        self.revision += 1
        self.complete = complete
        self.snapshot = replace(Snapshot(self.revision, services, complete=complete), **changes)  # type: ignore[arg-type]
