"""The registry against a model that fits on a page: whatever happens on a LAN, in whatever order.

Four boxes are told of: ``one`` by its signed announcement, ``wide`` by two networks at once, ``plain`` without a
signature, and ``noted`` also by the user himself. The model knows only what a person at each of them would know.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hybridisco.core.model import (
    ALIVE,
    Announcement,
    Change,
    Endpoint,
    EventType,
    Proof,
    Service,
    SourceName,
    Status,
    Withdrawal,
)
from hybridisco.kinds import BUILTIN
from hybridisco.registry import ServiceRegistry
from tests.say import NOW, at, down, look, online

TICK_S = 0.5
SHOWN_SILENT_S, SHOWN_HANGING_S, FORGOTTEN_S = 9.0, 600.0, 60.0  # as the design has it; not taken from the code


class Shown(StrEnum):
    """What a user sees, as far as the model tells it."""

    NOT = "not there"
    ALIVE = "alive"
    STALE = "stale"
    UNREACHABLE = "unreachable"
    UNTRUSTED = "untrusted"


@dataclass
class Door:
    """One address of a box, and what we met there. ``silent_s``: how long in vain, while we could hear."""

    endpoint: Endpoint
    met: bool = False
    silent_s: float | None = None
    patience_s: float = SHOWN_SILENT_S
    tried: bool = False
    looked_s: float = 0.0

    def answers(self) -> None:
        """It does."""
        self.met, self.tried, self.silent_s, self.looked_s = True, True, None, 0.0

    def fails(self, *, hangs: bool) -> None:
        """It does not."""
        self.tried, self.looked_s = True, 0.0
        if self.met:
            self.silent_s = self.silent_s or 0.0
            if not self.gone:
                self.patience_s = SHOWN_HANGING_S if hangs else SHOWN_SILENT_S

    def is_forgotten(self) -> None:
        """Nobody has told of it for long, and nobody has looked."""
        self.met, self.tried, self.silent_s = False, False, None

    @property
    def gone(self) -> bool:
        """It was silent for too long."""
        return self.silent_s is not None and self.silent_s >= self.patience_s


@dataclass
class Box:
    """A box on the LAN, and what has been said of it. ``alone_s``: so long its sidecar is missed."""

    name: str
    doors: list[Door]
    key: str | None = None
    noted: bool = False
    announced: bool = False
    alone_s: float | None = None
    forged: bool = False

    def shown(self, lost: frozenset[str]) -> Shown:
        """What is to be seen of it."""
        orphaned = self.alone_s is not None and self.alone_s >= SHOWN_SILENT_S
        if not self.noted and (not self.announced or orphaned):
            return Shown.NOT
        if self.forged and not self.noted:
            return Shown.NOT if self._seen(lost) is Shown.NOT else Shown.UNTRUSTED
        seen = self._seen(lost)
        if seen is Shown.NOT and self.noted:
            return Shown.UNREACHABLE
        return Shown.STALE if seen is Shown.ALIVE and self.alone_s is not None and not self.noted else seen

    def _seen(self, lost: frozenset[str]) -> Shown:
        open_, barred = [], []
        for door in self.doors:
            (barred if door.endpoint.interface in lost else open_).append(door)
        if any(door.met and door.silent_s is None for door in open_):
            return Shown.ALIVE
        if any(door.met and not door.gone for door in self.doors) or any(not door.tried for door in self.doors):
            return Shown.STALE
        return Shown.NOT if any(door.met for door in self.doors) else Shown.UNREACHABLE


def boxes() -> list[Box]:
    """The boxes, before anything was said."""
    return [
        Box("one", [Door(at("10.0.0.2", interface="eth0"))], key="one's key"),
        Box("wide", [Door(at("10.0.0.3", interface="eth0")), Door(at("10.0.1.3", interface="eth1"))]),
        Box("plain", [Door(at("10.0.1.4", interface="eth1"))]),
        Box("noted", [Door(at("10.0.0.5", interface="eth0"))], noted=True),
    ]


ANY_BOX, ANY_DOOR = st.integers(0, 3), st.integers(0, 1)


@dataclass
class Heard:
    """Who follows the events sees what the snapshots show."""

    services: dict[str, Service] = field(default_factory=dict)

    def take(self, change: Change) -> None:
        """Follow the events of one change."""
        for event in change.events:
            assert (event.service.id in self.services) == (event.type is not EventType.ADDED)
            if event.type is EventType.REMOVED:
                del self.services[event.service.id]
            else:
                self.services[event.service.id] = event.service


class Lan(RuleBasedStateMachine):
    """What happens on a LAN and to this machine."""

    def __init__(self) -> None:
        super().__init__()
        self.registry = ServiceRegistry(BUILTIN)
        self.now = NOW
        self.boxes = boxes()
        self.lost: frozenset[str] = frozenset()
        self.heard = Heard()
        self.revision = 0

    @initialize()
    def begin(self) -> None:
        """The user has written one of them down, and another one's key is known."""
        self.take(self.registry.set_network({"10.0.0.1", "10.0.1.1"}, self.now))
        self.take(self.registry.set_pins({"one": "one's key"}, self.now))
        noted = self.boxes[3].doors[0].endpoint
        self.take(
            self.registry.apply(
                Announcement(SourceName.MANUAL, "u", (noted,), kind="comfyui", name="noted", host="10.0.0.5"), self.now
            )
        )

    # -- the boxes ------------------------------------------------------------------------------------

    @rule(which=ANY_BOX)
    def announces(self, which: int) -> None:
        """A sidecar says what it has."""
        box = self.boxes[which]
        box.announced, box.alone_s = True, None
        self.take(self.registry.apply(self.claim(box), self.now))

    @rule(which=ANY_BOX)
    def says_goodbye(self, which: int) -> None:
        """A sidecar takes it back."""
        box = self.boxes[which]
        box.announced, box.alone_s = False, None
        self.take(self.registry.apply(Withdrawal(SourceName.MDNS, box.name), self.now))

    @rule(which=ANY_BOX)
    def sidecar_ends(self, which: int) -> None:
        """The connection to a sidecar has broken."""
        box = self.boxes[which]
        if not box.announced:
            return
        if not self.barred(box.doors):
            box.alone_s = box.alone_s or 0.0
        self.take(self.registry.apply(replace(self.claim(box), unattended=True), self.now))

    @rule()
    def key_changes(self) -> None:
        """What is announced as the first box comes with another key from now on, or with the right one again."""
        box = self.boxes[0]
        self.says_goodbye(0)
        box.forged = not box.forged
        self.announces(0)

    # -- looks ----------------------------------------------------------------------------------------

    @rule(which=ANY_BOX, door=ANY_DOOR)
    def answers(self, which: int, door: int) -> None:
        """A look finds what was claimed."""
        if target := self.door(which, door):
            target.answers()
            self.take(self.registry.apply(look(target.endpoint, online()), self.now))

    @rule(which=ANY_BOX, door=ANY_DOOR, cause=st.sampled_from(["timeout", "refused", "silent"]))
    def fails(self, which: int, door: int, cause: str) -> None:
        """A look finds nothing, or something that takes connections and does not answer."""
        if target := self.door(which, door):
            if not self.barred([target]):
                target.fails(hangs=cause == "silent")
            self.take(self.registry.apply(look(target.endpoint, down(cause)), self.now))

    # -- time, and this machine -----------------------------------------------------------------------

    @rule(seconds=st.sampled_from([TICK_S, 1.0, 4.0, 9.0, 20.0, 700.0]))
    def time_passes(self, seconds: float) -> None:
        """Nothing else happens for a while."""
        self.now += seconds
        for box in self.boxes:
            if box.alone_s is not None and not self.barred(box.doors):
                box.alone_s += seconds
            for door in box.doors:
                if door.silent_s is not None and not self.barred([door]):
                    door.silent_s += seconds
        self.forget(seconds)
        self.take(self.registry.tick(self.now))

    @rule(
        lost=st.sampled_from([frozenset[str](), frozenset({"eth0"}), frozenset({"eth1"}), frozenset({"eth0", "eth1"})])
    )
    def cables(self, lost: frozenset[str]) -> None:
        """Cables are pulled and put back; what was silent before has its time again."""
        back = self.lost - lost
        for box in self.boxes:
            if any(door.endpoint.interface in back for door in box.doors) and box.alone_s is not None:
                box.alone_s = self.begun_anew(box.alone_s, SHOWN_SILENT_S)
            for door in box.doors:
                if door.endpoint.interface in back and door.silent_s is not None:
                    door.silent_s = self.begun_anew(door.silent_s, door.patience_s)
        self.lost = lost
        self.take(self.registry.set_network({"10.0.0.1", "10.0.1.1"}, self.now, lost=lost, offline=len(lost) > 1))

    @rule(seconds=st.sampled_from([20.0, 3_600.0]))
    def sleeps(self, seconds: float) -> None:
        """The lid is closed: nobody is silent meanwhile, it is us who do not listen."""
        self.now += seconds
        for box in self.boxes:
            if box.alone_s is not None:
                box.alone_s = self.begun_anew(box.alone_s, SHOWN_SILENT_S)
            for door in box.doors:
                if door.silent_s is not None:
                    door.silent_s = self.begun_anew(door.silent_s, door.patience_s)
        change = self.registry.wake(self.now)
        wanted = {door.endpoint.key for box in self.claimed() for door in box.doors}
        assert {check.endpoint.key for check in change.checks} == wanted
        self.take(change)
        self.forget(seconds)
        self.take(self.registry.tick(self.now))

    # -- what must hold -------------------------------------------------------------------------------

    @invariant()
    def each_box_is_shown_as_it_is(self) -> None:
        """The whole truth, and nothing else."""
        services = self.registry.snapshot().services
        assert {box.name: box.shown(self.lost) for box in self.boxes} == {
            box.name: shown([s for s in services if s.name == box.name]) for box in self.boxes
        }
        assert len({service.id for service in services}) == len(services)

    @invariant()
    def events_tell_what_snapshots_show(self) -> None:
        """A face that follows events needs no snapshot."""
        snapshot = self.registry.snapshot()
        assert self.heard.services.keys() == {service.id for service in snapshot}
        assert {i: s.status for i, s in self.heard.services.items()} == {s.id: s.status for s in snapshot}
        assert snapshot.revision >= self.revision
        self.revision = snapshot.revision

    @invariant()
    def what_is_amiss_is_explained(self) -> None:
        """In words for a user."""
        for service in self.registry.snapshot():
            assert service.problem or service.status is Status.ONLINE
            if (
                service.status is Status.STALE
                and self.lost
                and all(e.interface in self.lost for e in service.endpoints)
            ):
                assert "This machine has lost its network" in (service.problem or "")

    @invariant()
    def only_what_is_claimed_and_in_reach_is_looked_at(self) -> None:
        """And of what answers one endpoint."""
        due = [check.endpoint for check in self.registry.due(self.now + 10_000.0)]
        for box in self.claimed():
            mine = [endpoint for endpoint in due if endpoint in [door.endpoint for door in box.doors]]
            reached = [door for door in box.doors if not self.barred([door])]
            answering = [door for door in reached if door.met and door.silent_s is None]
            assert len(mine) == (1 if answering else len(reached))
            due = [endpoint for endpoint in due if endpoint not in mine]
        assert due == []
        everything = self.registry.due(math.inf)
        assert len(everything) == sum(len(box.doors) for box in self.claimed())

    # -- helpers --------------------------------------------------------------------------------------

    def take(self, change: Change) -> None:
        self.heard.take(change)
        assert change.pins == (), "the only key that is used is known"

    def claim(self, box: Box) -> Announcement:
        key = "somebody's key" if box.forged else box.key
        return Announcement(
            SourceName.MDNS,
            box.name,
            tuple(door.endpoint for door in box.doors),
            kind="comfyui",
            id=box.name,
            name=box.name,
            proof=Proof.SIGNED if key else Proof.UNSIGNED,
            signer=key,
        )

    def claimed(self) -> list[Box]:
        return [box for box in self.boxes if box.announced or box.noted]

    def forget(self, seconds: float) -> None:
        """So much later, what nobody tells of any more is forgotten."""
        for box in self.boxes:
            for door in box.doors:
                door.looked_s += seconds
                if box not in self.claimed() and door.looked_s > FORGOTTEN_S:
                    door.is_forgotten()

    def door(self, which: int, door: int) -> Door | None:
        """A door that somebody has told of: no other is looked at."""
        box = self.boxes[which]
        return box.doors[door % len(box.doors)] if box in self.claimed() else None

    def barred(self, doors: Sequence[Door]) -> bool:
        return all(door.endpoint.interface in self.lost for door in doors)

    @staticmethod
    def begun_anew(silent_s: float, patience_s: float) -> float:
        return silent_s if silent_s >= patience_s else 0.0


def shown(services: Sequence[Service]) -> Shown:
    """What a user sees of the services of one box."""
    if not services:
        return Shown.NOT
    (service,) = services
    return Shown.ALIVE if service.status in ALIVE else Shown(service.status.value)


TestLan = Lan.TestCase
TestLan.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
