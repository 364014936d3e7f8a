"""The one registry: a lock around the merge rules, a revision, and subscribers.

Thread-safe. Every call that may change something takes ``now`` (seconds since the epoch), returns what it
changed as data, and tells the subscribers; nothing in here waits for the network or asks for the time.
"""

from __future__ import annotations

import logging
import math
import threading
from bisect import bisect_left, insort
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hybridisco.core.evidence import EndpointKey, Evidence, World, renew
from hybridisco.core.identity import Key, is_local
from hybridisco.core.kind import Kind
from hybridisco.core.liveness import CHECK_EVERY_S, ORPHAN_AFTER_S, State
from hybridisco.core.merge import services_of
from hybridisco.core.model import (
    Announcement,
    Change,
    Check,
    Event,
    EventType,
    EvidenceKey,
    Pin,
    Proof,
    Service,
    Snapshot,
    SourceName,
    Trust,
    Withdrawal,
    check_ref,
)
from hybridisco.core.schedule import Group, due_in, groups_of
from hybridisco.core.trust import FIRST_USE
from hybridisco.subscribers import Subscriber, Subscribers

log = logging.getLogger(__name__)

#: Announcements from the network that are kept; what comes beyond is dropped and counted. The checks of what they name,
#: at most eight addresses each, come on top.
CLAIM_LIMIT = 2048

#: Pieces of evidence that may be connected. A component is computed anew at each change in it; a backend has a
#: handful of evidence, and eighty boxes under one cloned id fit in.
CONNECTED_LIMIT = 256


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
        self._evidence: dict[EvidenceKey, Evidence] = {}
        self._keys: dict[EvidenceKey, frozenset[Key]] = {}
        self._index: dict[Key, set[EvidenceKey]] = defaultdict(set)
        self._components: dict[EvidenceKey, _Component] = {}
        self._warned: set[_Component] = set()
        self._services: dict[str, Service] = {}
        self._order: list[tuple[str, str]] = []
        self._snapshot: Snapshot | None = None
        self._revision = 0
        self._subscribers = Subscribers()
        self._groups: tuple[Group, ...] | None = None
        self._claims = 0
        self._recovered_at = 0.0
        self._unpinned: list[Pin] = []
        self._untold: deque[tuple[tuple[Event, ...], Snapshot]] = deque()
        self._telling = threading.RLock()
        self._is_telling = False
        self.dropped = 0
        """Announcements that were dropped because a limit was reached."""

    def apply(self, datum: Announcement | Withdrawal, now: float) -> Change:
        """Take one piece of evidence, or take one back. Returns the events and what is to be done."""
        with self._lock:
            if isinstance(datum, Announcement) and self._is_our_own_fault(datum):
                return Change()
            touched = self._connected([datum.key])
            old = self._remove(datum.key)
            checks: tuple[Check, ...] = ()
            doubts: tuple[str, ...] = ()
            if isinstance(datum, Announcement) and self._has_room_for(datum):
                new = renew(old, datum, now)
                self._insert(new)
                checks = self._checks_for(datum, now)
                if datum.source is SourceName.PROBE:
                    checks, doubts = self._follow_up(old, new, now)
            events = self._rebuild(touched | self._connected([datum.key]), now)
            pins = self._take_pins()
        self._tell()
        return Change(events, checks, doubts, pins)

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
            self._world = world
            back = [
                key
                for key, item in self._evidence.items()
                if any(before.cut_off(e) and not world.cut_off(e) for e in item.announcement.endpoints)
            ]
            for key in back:
                item = self._evidence[key]
                self._evidence[key] = replace(item, life=item.life.again(now))
            self._reindex()
            events = self._rebuild(set(self._evidence), now)
            checks = self._checks_of({e.key for key in back for e in self._evidence[key].announcement.endpoints})
        self._tell()
        return Change(events, checks)

    def set_local(self, addresses: Iterable[str], now: float) -> Change:
        """Say which addresses this machine has, of a network that is all right."""
        return self.set_network(addresses, now)

    def set_pins(self, pins: Mapping[str, str], now: float) -> Change:
        """Say whose keys are known, by id."""
        with self._lock:
            if pins == self._world.pins:
                return Change()
            self._world = replace(self._world, pins=dict(pins))
            self._reindex()
            events = self._rebuild(set(self._evidence), now)
            pinned = self._take_pins()
        self._tell()
        return Change(events, pins=pinned)

    def wake(self, now: float) -> Change:
        """This machine has slept: nothing that was seen before says anything now. Returns checks of everything."""
        with self._lock:
            for key, item in self._evidence.items():
                self._evidence[key] = replace(item, life=item.life.again(now))
            return Change(checks=tuple(check for _, check in due_in(self._all_groups(), self._world, math.inf, 0.0)))

    def tick(self, now: float) -> Change:
        """Let time pass: what was silent for too long goes, and orphaned checks are forgotten."""
        with self._lock:
            fading = {
                key
                for key, item in self._evidence.items()
                if item.life.state in (State.SUSPECT, State.GONE) or _orphan(item, now)
            }
            touched = self._connected(fading)
            for key in fading:
                if _orphan(self._evidence[key], now) and not self._has_standing(self._connected([key])):
                    self._remove(key)
            if fading or self._world.doubted:
                self._doubt_ourselves()
            events = self._rebuild(touched, now)
        self._tell()
        return Change(events)

    def due(self, now: float) -> tuple[Check, ...]:
        """Return the checks that it is time to make, oldest first."""
        with self._lock:
            found = due_in(self._all_groups(), self._world, now, self._recovered_at)
            return tuple(check for _, check in sorted(found, key=lambda pair: pair[0]))

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

    def _has_room_for(self, announcement: Announcement) -> bool:
        """Whether an announcement is kept. What the user's own config leads to always is."""
        if announcement.source is not SourceName.MDNS:
            return True  # a check: there is one for each endpoint of what was let in
        if self._claims >= CLAIM_LIMIT:
            trouble = f"There are more than {CLAIM_LIMIT} announcements"
        elif self._would_connect(announcement) >= CONNECTED_LIMIT:
            trouble = f"More than {CONNECTED_LIMIT} announcements claim to be one service"
        else:
            return True
        self.dropped += 1
        level = logging.WARNING if self.dropped == 1 else logging.DEBUG
        log.log(level, "%s; what comes beyond is dropped.", trouble)
        return False

    def _would_connect(self, announcement: Announcement) -> int:
        own = self._world.keys(announcement)
        return len(self._connected({key for each in own for key in self._index.get(each, ())}))

    def _remove(self, key: EvidenceKey) -> Evidence | None:
        self._unindex_keys(key)
        old = self._evidence.pop(key, None)
        if old is not None and old.announcement.source is not SourceName.PROBE:
            self._groups = None
            self._claims -= old.announcement.source is SourceName.MDNS
        return old

    def _insert(self, item: Evidence) -> None:
        self._evidence[item.announcement.key] = item
        self._index_keys(item.announcement)
        if item.announcement.source is not SourceName.PROBE:
            self._groups = None
            self._claims += item.announcement.source is SourceName.MDNS

    def _unindex_keys(self, key: EvidenceKey) -> None:
        for own in self._keys.pop(key, ()):
            self._index[own].discard(key)
            if not self._index[own]:
                del self._index[own]

    def _reindex(self) -> None:
        self._index.clear()
        for item in self._evidence.values():
            self._index_keys(item.announcement)

    def _index_keys(self, announcement: Announcement) -> None:
        self._keys[announcement.key] = self._world.keys(announcement)
        for own in self._keys[announcement.key]:
            self._index[own].add(announcement.key)

    def _connected(self, start: Iterable[EvidenceKey]) -> set[EvidenceKey]:
        """Return all evidence that is connected to ``start``, itself included."""
        found: set[EvidenceKey] = set()
        walked: set[Key] = set()
        waiting = [key for key in start if key in self._evidence]
        while waiting:
            key = waiting.pop()
            if key not in found:
                found.add(key)
                new = self._keys[key] - walked
                walked |= new
                for own in new:
                    waiting.extend(self._index[own])
        return found

    def _rebuild(self, touched: set[EvidenceKey], now: float) -> tuple[Event, ...]:
        """Make the services of ``touched`` anew: whole components, as they were and as they are now."""
        old = {component for key in touched if (component := self._components.get(key))}
        touched = touched.union(*(component.members for component in old))
        for key in touched:
            self._components.pop(key, None)
        before = {service.id: service for component in old for service in component.services}
        after: dict[str, Service] = {}
        rest = touched & self._evidence.keys()
        while rest:
            members = self._connected([next(iter(rest))])
            rest -= members
            evidence = [self._evidence[key] for key in members]
            services, warnings = services_of(evidence, self._world, now)
            if self._pin(evidence, services):
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
        return events

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

    def _has_standing(self, members: set[EvidenceKey]) -> bool:
        return any(self._evidence[key].announcement.standing for key in members)

    # -- what is to be done ---------------------------------------------------------------------------

    def _checks_for(self, announcement: Announcement, now: float) -> tuple[Check, ...]:
        """Return a check for each endpoint of a claim that is not known to answer right now."""
        if announcement.source is SourceName.PROBE or announcement.unattended:
            return ()

        def answers(key: EndpointKey) -> bool:
            last = self._look_at(key)
            return last is not None and last.life.state is State.ALIVE and now - last.at < CHECK_EVERY_S

        known = announcement.source is SourceName.MANUAL
        return tuple(
            Check(e, announcement.kind, known=known or self._look_at(e.key) is not None)
            for e in announcement.endpoints
            if not answers(e.key)
        )

    def _follow_up(self, old: Evidence | None, new: Evidence, now: float) -> tuple[tuple[Check, ...], tuple[str, ...]]:
        """Return what a look leads to.

        What has just fallen silent is looked at by its other addresses at once, and asked about. What answers again
        may not be the only thing that does: the network may be back.
        """
        before = old.life.at(now).state if old else State.NEW
        if new.life.state is State.ALIVE and before in (State.SUSPECT, State.GONE):
            self._recovered_at = now
        if new.life.state is not State.SUSPECT or before is State.SUSPECT:
            return (), ()
        key = new.announcement.endpoints[0].key
        group = next((each for each in self._all_groups() if key in each.keys), None)
        if group is None:
            return (), ()
        others = (e for e in group.endpoints if e.key != key)
        last = ((e, self._look_at(e.key)) for e in others)
        stale = (e for e, seen in last if seen is None or now - seen.at > 1.0)
        return tuple(Check(e, group.kind) for e in stale), group.refs

    def _checks_of(self, wanted: set[EndpointKey]) -> tuple[Check, ...]:
        """Return checks of these endpoints, as far as somebody claims them."""
        return tuple(Check(e, group.kind) for group in self._all_groups() for e in group.endpoints if e.key in wanted)

    def _all_groups(self) -> tuple[Group, ...]:
        if self._groups is None:
            self._groups = groups_of((item.announcement for item in self._evidence.values()), self._look_at)
        return self._groups

    def _look_at(self, key: EndpointKey) -> Evidence | None:
        return self._evidence.get((SourceName.PROBE, check_ref(key)))

    def _is_our_own_fault(self, announcement: Announcement) -> bool:
        """Whether something failed only because this machine has no network: that says nothing of the other end."""
        failed = announcement.unattended or (announcement.finding is not None and not announcement.finding.alive)
        return failed and all(
            self._world.cut_off(e) and not is_local(e, self._world.local) for e in announcement.endpoints
        )

    def _doubt_ourselves(self) -> None:
        """Several machines fell silent, and none has answered since: probably it is us."""
        silent: set[str] = set()
        answering: set[str] = set()
        for group in self._all_groups():
            best = group.endpoints[0]  # of all services of a machine the same address
            if is_local(best, self._world.local):
                continue
            states = {seen.life.state for e in group.endpoints if (seen := self._look_at(e.key))}
            if State.ALIVE in states:
                answering.add(best.dial)
            elif State.SUSPECT in states:
                silent.add(best.dial)
        doubted = len(silent) > 1 and not answering - silent
        if doubted != self._world.doubted:
            self._world = replace(self._world, doubted=doubted)

    def _pin(self, evidence: Sequence[Evidence], services: Sequence[Service]) -> bool:
        """Remember the keys of services that are what they say and have none yet; returns whether any was new."""
        verified = {service.id: service.name for service in services if service.trust is Trust.NEW and service.verified}
        fresh: dict[str, Pin] = {}
        for item in evidence if verified else ():
            a = item.announcement
            if a.proof is Proof.SIGNED and a.signer and a.id in verified and a.id not in self._world.pins:
                fresh.setdefault(a.id, Pin(a.id, a.signer, verified[a.id]))
        if fresh:
            self._world = replace(self._world, pins={**self._world.pins, **{i: pin.key for i, pin in fresh.items()}})
            self._unpinned.extend(fresh.values())
            for item in evidence:  # whoever else claims that id may do so no longer
                self._unindex_keys(item.announcement.key)
                self._index_keys(item.announcement)
        return bool(fresh)

    def _take_pins(self) -> tuple[Pin, ...]:
        pins, self._unpinned = tuple(self._unpinned), []
        return pins

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


def _orphan(item: Evidence, now: float) -> bool:
    return not item.announcement.standing and now - item.at > ORPHAN_AFTER_S
