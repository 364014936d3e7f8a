"""What a change of the evidence leads to: looks at endpoints, questions about announcements, keys to be remembered.

Pure but for its memory of when something recovered: the evidence, the world and the time come in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from hybridisco.connected import ConnectedEvidence
from hybridisco.core.evidence import Evidence, World
from hybridisco.core.fade import out_of_reach
from hybridisco.core.liveness import CHECK_EVERY_S, State
from hybridisco.core.model import Announcement, Check, Pin, Proof, Service, SourceName, Trust
from hybridisco.core.schedule import Group, doubted, due_in, groups_of

_JUST_NOW_S = 1.0  # a look that is younger is not repeated because another address of the service has failed


class Effects:
    """What is to be done about ``evidence``."""

    def __init__(self, evidence: ConnectedEvidence) -> None:
        self._evidence = evidence
        self._groups: tuple[Group, ...] | None = None
        self.recovered_at = 0.0
        """When something that was silent has last answered again; probably the network is back."""

    def claims_changed(self) -> None:
        """A claim came, went, or is another; or another key is known."""
        self._groups = None

    def due(self, world: World, now: float) -> tuple[Check, ...]:
        """Return the checks that it is time to make, oldest first."""
        found = due_in(self._all_groups(world), world, now, self.recovered_at)
        return tuple(check for _, check in sorted(found, key=lambda pair: pair[0]))

    def every(self, world: World) -> tuple[Check, ...]:
        """Return a check of each endpoint that is claimed."""
        return tuple(check for _, check in due_in(self._all_groups(world), world, math.inf, 0.0))

    def of_claim(self, announcement: Announcement, world: World, now: float) -> tuple[Check, ...]:
        """Return a check for each endpoint of a claim that is not known to answer right now."""
        if announcement.source is SourceName.PROBE or announcement.unattended:
            return ()
        looks = [(endpoint, self._evidence.look_at(endpoint.key)) for endpoint in announcement.endpoints]
        ours = announcement.source is SourceName.MANUAL or world.trust(announcement) is Trust.PINNED
        return tuple(
            Check(endpoint, announcement.kind, known=ours or (last is not None and last.ok_at is not None))
            for endpoint, last in looks
            if last is None or last.life.state is not State.ALIVE or now - last.at >= CHECK_EVERY_S
        )

    def of_look(
        self, old: Evidence | None, new: Evidence, world: World, now: float
    ) -> tuple[tuple[Check, ...], tuple[str, ...]]:
        """Return the checks that a look leads to, and the announcements to be asked about.

        What has just fallen silent is looked at by its other addresses at once, and asked about. What answers again
        may not be the only thing that does: the network may be back.
        """
        before = old.life.at(now).state if old else State.NEW
        if new.life.state is State.ALIVE and before in (State.SUSPECT, State.GONE):
            self.recovered_at = now
        if new.life.state is not State.SUSPECT or before is State.SUSPECT:
            return (), ()
        key = new.announcement.endpoints[0].key
        group = next((each for each in self._all_groups(world) if key in each.keys), None)
        if group is None:
            return (), ()
        last = ((e, self._evidence.look_at(e.key)) for e in group.endpoints if e.key != key)
        old_news = (e for e, seen in last if seen is None or now - seen.at > _JUST_NOW_S)
        return tuple(Check(e, group.kind) for e in old_news), group.refs

    def doubted(self, world: World) -> bool:
        """Whether it is probably this machine that has lost its network."""
        return doubted(self._all_groups(world), world)

    def _all_groups(self, world: World) -> tuple[Group, ...]:
        if self._groups is None:
            every = (item.announcement for item in self._evidence)
            self._groups = groups_of(every, self._evidence.look_at, world)
        return self._groups


def is_our_own_fault(announcement: Announcement, world: World) -> bool:
    """Whether something failed only because this machine has no network: that says nothing of the other end."""
    failed = announcement.unattended or (announcement.finding is not None and not announcement.finding.alive)
    return failed and out_of_reach(announcement.endpoints, world)


def new_pins(services: Iterable[Service], evidence: Sequence[Evidence], world: World) -> tuple[Pin, ...]:
    """Return the keys to be remembered: of services that answer as what they say, under an id that has none yet."""
    return tuple(
        Pin(service.id, signer, service.name)
        for service in services
        if service.trust is Trust.NEW and service.verified and service.id not in world.pins
        if (signer := _first_signer(service, evidence))
    )


def spoken_by(service: Service, evidence: Sequence[Evidence], world: World) -> Announcement | None:
    """Return which announcement from the LAN speaks for a service where it answers, those with the best trust first."""
    place = service.endpoints[0].key
    told = [
        (item.announcement.id != service.id, list(Trust).index(trust), item.first_at, item.announcement.ref, item)
        for item in evidence
        if item.announcement.source is SourceName.MDNS
        and (trust := world.trust(item.announcement)) is not Trust.UNTRUSTED
        and any(endpoint.key == place for endpoint in item.announcement.endpoints)
    ]
    return min(told, key=lambda each: each[:4])[-1].announcement if told else None


def _first_signer(service: Service, evidence: Sequence[Evidence]) -> str | None:
    """Return the key of who announced a service first, of those who announce it where it answers."""
    place = service.endpoints[0].key
    signed = [
        item
        for item in evidence
        if item.announcement.id == service.id
        and item.announcement.proof is Proof.SIGNED
        and any(endpoint.key == place for endpoint in item.announcement.endpoints)
    ]
    first = min(signed, key=lambda item: (item.first_at, item.announcement.ref), default=None)
    return first.announcement.signer if first else None
