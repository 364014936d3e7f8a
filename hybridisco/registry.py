"""The one registry: a lock around the merge rules, a revision, and subscribers.

Thread-safe. Every call that may change something takes ``now`` (seconds since the epoch), returns what it
changed as data, and tells the subscribers; nothing in here waits for the network or asks for the time.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hybridisco.connected import ConnectedEvidence
from hybridisco.core.evidence import EndpointKey, Evidence, World, renew
from hybridisco.core.fade import life_at
from hybridisco.core.identity import is_local
from hybridisco.core.kind import Kind
from hybridisco.core.liveness import ORPHAN_AFTER_S, State
from hybridisco.core.merge import services_of
from hybridisco.core.model import (
    Announcement,
    Change,
    Check,
    Endpoint,
    Event,
    EventType,
    EvidenceKey,
    Pin,
    Service,
    Snapshot,
    SourceName,
    Withdrawal,
)
from hybridisco.core.trust import FIRST_USE
from hybridisco.effects import Effects, is_our_own_fault, new_pins, spoken_by
from hybridisco.subscribers import Subscriber, Subscribers

#: Where so much evidence is connected, somebody floods: its services are made anew at each tick, not at each change.
MANY_CONNECTED = 32


@dataclass(frozen=True, slots=True, eq=False)
class _Component:
    """What connected evidence amounts to."""

    members: frozenset[EvidenceKey] = frozenset()
    services: tuple[Service, ...] = ()
    warnings: tuple[str, ...] = ()


def _events(before: dict[str, Service], after: dict[str, Service]) -> tuple[Event, ...]:
    """Return what a user would call a change. That a service was seen again, or answered faster, is none."""
    removed = [Event(EventType.REMOVED, s) for i, s in before.items() if i not in after]
    added = [Event(EventType.ADDED, s) for i, s in after.items() if i not in before]
    updated = [
        Event(EventType.UPDATED, s) for i, s in after.items() if i in before and _lasting(before[i]) != _lasting(s)
    ]
    return (*removed, *added, *updated)


def _lasting(service: Service) -> Service:
    """Return ``service`` without what changes at every look."""
    endpoints = tuple(replace(endpoint, latency_ms=None) for endpoint in service.endpoints)
    return replace(service, endpoints=endpoints, latency_ms=None, last_seen=0.0)


class ServiceRegistry:
    """Every service that is known, from all sources.

    :param kinds: the kinds, for their titles, hints and families.
    :param trust_mode: how keys are used, as the setting ``trust.mode`` says.
    """

    def __init__(self, kinds: Iterable[Kind] = (), trust_mode: str = FIRST_USE) -> None:
        self._lock = threading.RLock()
        self._world = World({kind.id: kind for kind in kinds}, trust_mode=trust_mode)
        self._evidence = ConnectedEvidence()
        self._effects = Effects(self._evidence)
        self._components: dict[EvidenceKey, _Component] = {}
        self._warned: set[_Component] = set()
        self._services: dict[str, Service] = {}
        self._order: list[tuple[str, str]] = []
        self._snapshot: Snapshot | None = None
        self._revision = 0
        self._subscribers = Subscribers()
        self._unpinned: list[Pin] = []
        self._unbuilt: set[EvidenceKey] = set()
        self._untold: deque[tuple[tuple[Event, ...], Snapshot]] = deque()
        self._telling = threading.RLock()
        self._is_telling = False

    def apply(self, datum: Announcement | Withdrawal, now: float) -> Change:
        """Take one piece of evidence, or take one back. Returns the events and what is to be done."""
        with self._lock:
            if isinstance(datum, Announcement) and is_our_own_fault(datum, self._world):
                return Change()
            touched = self._evidence.connected([datum.key])
            old = self._evidence.remove(datum.key)
            touched.add(datum.key)
            checks: tuple[Check, ...] = ()
            doubts: tuple[str, ...] = ()
            if datum.source is not SourceName.PROBE or _is_recalled(datum, old):
                self._effects.claims_changed()
            known = old is not None  # what is known may change, however many others there are
            if isinstance(datum, Announcement) and (known or self._evidence.has_room_for(datum, self._world)):
                new = renew(old, datum, now)
                self._evidence.insert(new, self._world)
                checks = self._effects.of_claim(datum, self._world, now)
                if datum.finding is not None:
                    checks, doubts = self._effects.of_look(old, new, self._world, now)
            touched |= self._evidence.connected([datum.key])
            if len(touched) > MANY_CONNECTED:
                self._unbuilt |= touched
                return Change(checks=checks, doubts=doubts)
            change = self._rebuild(touched, now)
        self._tell()
        return replace(change, checks=checks, doubts=doubts)

    def holds(self, key: EvidenceKey) -> bool:
        """Whether evidence of this name is there; what was only remembered goes as soon as others speak of it."""
        with self._lock:
            return key in self._evidence.keys()  # noqa: SIM118 - it iterates over values

    def said(self, key: EvidenceKey) -> Announcement | None:
        """Return what mDNS said under this name, if that stands."""
        with self._lock:
            told = key[0] is SourceName.MDNS and key in self._evidence.keys()  # noqa: SIM118 - it iterates over values
            return self._evidence[key].announcement if told else None

    def answers_as(self, endpoint: EndpointKey, kind: str | None) -> bool:
        """Whether the last look at an endpoint has found this kind."""
        with self._lock:
            last = self._evidence.look_at(endpoint)
            return last is not None and last.finding.alive and last.finding.kind == kind

    def has_owner(self, recalled: Announcement) -> bool:
        """Whether what is only remembered is to be said again by its owner before it is shown under its name."""
        return self._world.has_owner(recalled)

    def announced(self) -> tuple[tuple[Service, Announcement], ...]:
        """Return each service of another machine that mDNS has told of, with the announcement that speaks for it."""
        with self._lock:
            found = (
                (service, spoken_by(service, [self._evidence[key] for key in component.members], self._world))
                for component in set(self._components.values())
                for service in component.services
                if not any(is_local(endpoint, self._world.local) for endpoint in service.endpoints)
            )
            return tuple((service, announcement) for service, announcement in found if announcement is not None)

    def set_network(
        self, addresses: Iterable[str], now: float, *, lost: Iterable[str] = (), offline: bool = False
    ) -> Change:
        """Say which addresses this machine has (link-local ones with their zone).

        :param lost: interfaces that carry nothing now, or are gone.
        :param offline: no interface but loopback carries anything.
        """
        with self._lock:
            before = self._world
            world = replace(before, local=frozenset(addresses), lost=frozenset(lost), offline=offline)
            if world == before:
                return Change()
            self._age(self._evidence.keys(), now)
            self._world = world

            def returned(endpoint: Endpoint) -> bool:
                return before.cut_off(endpoint) and not world.cut_off(endpoint)

            for item in list(self._evidence):
                if any(map(returned, item.announcement.endpoints)):
                    self._evidence.update(replace(item, life=item.life.again(now)))
            self._evidence.reconnect(self._evidence.keys(), world)
            change = self._rebuild(set(self._evidence.keys()), now)
            checks = tuple(check for check in self._effects.every(world) if returned(check.endpoint))
        self._tell()
        return replace(change, checks=checks)

    def set_local(self, addresses: Iterable[str], now: float) -> Change:
        """Say which addresses this machine has, of a network that is all right."""
        return self.set_network(addresses, now)

    def set_pins(self, pins: Mapping[str, str], now: float) -> Change:
        """Say whose keys are known, by id."""
        with self._lock:
            if pins == self._world.pins:
                return Change()
            self._world = replace(self._world, pins=dict(pins))
            self._effects.claims_changed()
            self._evidence.reconnect(self._evidence.keys(), self._world)
            change = self._rebuild(set(self._evidence.keys()), now)
        self._tell()
        return change

    def wake(self, now: float) -> Change:
        """This machine has slept: nothing that was seen before says anything now. Returns checks of everything."""
        with self._lock:
            for item in list(self._evidence):
                self._evidence.update(replace(item, life=item.life.again(now)))
            return Change(checks=self._effects.every(self._world))

    def tick(self, now: float) -> Change:
        """Let time pass: what was silent for too long goes, and orphaned checks are forgotten."""
        with self._lock:
            fading = {
                item.announcement.key
                for item in self._evidence
                if item.life.state in (State.SUSPECT, State.GONE) or _orphan(item, now)
            }
            touched = self._evidence.connected(fading) | self._unbuilt
            self._unbuilt = set()
            self._age(fading, now)
            for key in [key for key in fading if _orphan(self._evidence[key], now)]:
                if not self._evidence.has_standing(self._evidence.connected([key])):
                    self._evidence.remove(key)
            if fading or self._world.doubted:
                self._world = replace(self._world, doubted=self._effects.doubted(self._world))
            change = self._rebuild(touched, now)
        self._tell()
        return change

    def due(self, now: float) -> tuple[Check, ...]:
        """Return the checks that it is time to make, oldest first."""
        with self._lock:
            return self._effects.due(self._world, now)

    @property
    def dropped(self) -> int:
        """Announcements that were dropped because a limit was reached."""
        return self._evidence.dropped

    @property
    def recovered_at(self) -> float:
        """When something that was silent has last answered again: what else is on that network may be back, too."""
        return self._effects.recovered_at

    def snapshot(self) -> Snapshot:
        """Return the registry as it is now. Cheap when nothing changed since the last call."""
        with self._lock:
            if self._snapshot is None:
                services = tuple([self._services[service_id] for _, service_id in self._order])
                warnings = sorted({warning for part in self._warned for warning in part.warnings})
                self._snapshot = Snapshot(self._revision, services, tuple(warnings))
            return self._snapshot

    @property
    def revision(self) -> int:
        """The number of the current snapshot. Reading it takes no lock."""
        return self._revision

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call ``subscriber`` after every change, in the thread that made it; returns how to stop that.

        Changes are told one after the other and in their order, each with the snapshot that it led to, also when
        several threads make them. The subscriber must not block. An error in it is logged and reaches nobody else.
        """
        return self._subscribers.add(subscriber)

    # -- behind the lock ------------------------------------------------------------------------------

    def _age(self, keys: Iterable[EvidenceKey], now: float) -> None:
        """Write down what is gone by now: that it was us who could not hear is no excuse later."""
        for key in keys:
            item = self._evidence[key]
            life = life_at(item, self._world, now)
            if life is not item.life:
                self._evidence.update(replace(item, life=life))

    def _rebuild(self, touched: set[EvidenceKey], now: float) -> Change:
        """Make the services of ``touched`` anew: whole components, as they were and as they are now."""
        old = {component for key in touched if (component := self._components.get(key))}
        touched = touched.union(*(component.members for component in old))
        for key in touched:
            self._components.pop(key, None)
        before = {service.id: service for component in old for service in component.services}
        after: dict[str, Service] = {}
        rest = touched & self._evidence.keys()
        while rest:
            members = self._evidence.connected([next(iter(rest))])
            if superseded := self._evidence.superseded(members):
                for key in superseded:
                    self._evidence.remove(key)
                self._effects.claims_changed()
                rest -= superseded
                continue
            rest -= members
            evidence = [self._evidence[key] for key in members]
            services, warnings = services_of(evidence, self._world, now)
            while self._pin(evidence, services):
                services, warnings = services_of(evidence, self._world, now)
            component = _Component(frozenset(members), services, warnings)
            self._components.update(dict.fromkeys(members, component))
            self._warned.update([component] if warnings else [])
            after.update((service.id, service) for service in services)
        self._warned -= old
        self._replace(before, after)
        events = _events(before, after)
        self._revision += bool(events)
        if events and self._subscribers:
            self._untold.append((events, self.snapshot()))
        pins, self._unpinned = tuple(self._unpinned), []
        return Change(events, pins=pins)

    def _replace(self, before: dict[str, Service], after: dict[str, Service]) -> None:
        """Put the services of ``after`` in the place of those of ``before``, and keep them in order."""
        self._snapshot = None
        gone, new = {_place(s) for s in before.values()}, {_place(s) for s in after.values()}
        for place in gone - new:
            del self._order[bisect_left(self._order, place)]
        for place in new - gone:
            insort(self._order, place)
        for service_id in before.keys() - after.keys():
            del self._services[service_id]
        self._services.update(after)

    def _pin(self, evidence: Sequence[Evidence], services: Sequence[Service]) -> bool:
        """Remember the keys of services that are what they say and have none yet; returns whether any was new."""
        fresh = new_pins(services, evidence, self._world)
        if fresh:
            self._world = replace(self._world, pins={**self._world.pins, **{pin.id: pin.key for pin in fresh}})
            self._effects.claims_changed()
            self._unpinned.extend(fresh)
            # Whoever else claims that id may do so no longer.
            self._evidence.reconnect((item.announcement.key for item in evidence), self._world)
        return bool(fresh)

    def _tell(self) -> None:
        """Tell the subscribers what they have not been told, in order, whichever thread comes first."""
        with self._telling:
            if self._is_telling:
                return  # a subscriber changed the registry: the loop that called it goes on with that
            self._is_telling = True
            try:
                while self._untold:
                    self._subscribers.tell(*self._untold.popleft())
            finally:
                self._is_telling = False


def _place(service: Service) -> tuple[str, str]:
    """Return what services are ordered by."""
    return (service.name.lower(), service.id)


def _is_recalled(datum: Announcement | Withdrawal, old: Evidence | None) -> bool:
    return (isinstance(datum, Announcement) and datum.recalled) or (old is not None and old.announcement.recalled)


def _orphan(item: Evidence, now: float) -> bool:
    return not item.announcement.standing and now - item.at > ORPHAN_AFTER_S
