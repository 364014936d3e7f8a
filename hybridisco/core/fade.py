"""What time and our own network make of a service's status: what is silent is ``stale``, then gone.

:mod:`.liveness` has the table and its times; here is how it is applied to the endpoints of a service and to those who
announced it. What we cannot reach because an interface of ours carries nothing is neither dead nor alive to us, and no
time passes for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hybridisco.core import problems
from hybridisco.core.evidence import Evidence, World
from hybridisco.core.identity import is_local
from hybridisco.core.liveness import Life, State
from hybridisco.core.model import ALIVE, Endpoint, SourceName, Status
from hybridisco.core.verdict import Verdict

_WAS_THERE = frozenset({State.ALIVE, State.SUSPECT})


def out_of_reach(endpoints: Iterable[Endpoint], world: World) -> bool:
    """Whether the way to all of them is interrupted at our end."""
    return all(world.cut_off(endpoint) and not is_local(endpoint, world.local) for endpoint in endpoints)


def life_at(item: Evidence, world: World, now: float) -> Life:
    """Return the life of evidence at ``now``: silence does not count while it is us who cannot hear."""
    return item.life if out_of_reach(item.announcement.endpoints, world) else item.life.at(now)


def as_reached(verdict: Verdict, world: World) -> Verdict:
    """Return a verdict with our own network's part in it: what was there and is out of reach is ``stale``."""
    there = verdict.evidence is not None and verdict.evidence.life.state in _WAS_THERE
    if there and out_of_reach([verdict.endpoint], world):
        return replace(verdict, status=Status.STALE)
    return verdict


def faded(
    best: Verdict, verdicts: Sequence[Verdict], members: Sequence[Evidence], world: World, now: float
) -> Status | None:
    """Return the status with time's part in it; None for what is gone."""
    looked = [v.evidence for v in verdicts if v.evidence]
    status = best.status
    if status is Status.UNREACHABLE and any(item.ok_at is not None for item in looked):
        if State.SUSPECT not in {life_at(item, world, now).state for item in looked}:
            return None
        status = Status.STALE
    return _attended(status, members, world, now)


def _attended(status: Status, members: Sequence[Evidence], world: World, now: float) -> Status | None:
    """Return ``status``, or what becomes of it when those who announced it have fallen silent."""
    states = {
        life_at(item, world, now).state if item.announcement.source is SourceName.MDNS else State.ALIVE
        for item in members
    }
    if State.ALIVE in states:
        return status
    if State.SUSPECT not in states:
        return None
    return Status.STALE if status in ALIVE else status


def why_stale(best: Verdict, world: World) -> str:
    """Return why a service is ``stale``, in words for its user."""
    if out_of_reach([best.endpoint], world):
        return problems.NETWORK_LOST
    if best.evidence is None:
        return problems.NOT_CHECKED
    if best.status is not Status.UNREACHABLE:
        return problems.ANNOUNCER_LOST
    if best.evidence.life.hangs:
        return problems.HANGS
    return problems.NETWORK_DOUBTED if world.doubted else problems.NETWORK_SILENT
