"""The one registry: a lock around the merge rules, a revision, and subscribers.

Thread-safe. Every call that may change something takes ``now`` (seconds since the epoch), returns what it
changed as data, and tells the subscribers; nothing in here waits for the network or asks for the time.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_left, insort
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from hybridisco.core.evidence import EndpointKey, Evidence, World, renew
from hybridisco.core.identity import Key, keys
from hybridisco.core.kind import Kind
from hybridisco.core.liveness import CHECK_EVERY_S, ORPHAN_AFTER_S, next_check_after_s
from hybridisco.core.merge import services_of
from hybridisco.core.model import (
    Announcement,
    Change,
    Check,
    Event,
    EventType,
    EvidenceKey,
    Service,
    Snapshot,
    SourceName,
    Withdrawal,
    check_ref,
)
from hybridisco.subscribers import Subscriber, Subscribers

log = logging.getLogger(__name__)

#: Pieces of evidence that are kept; what the network says beyond is dropped and counted. 1024 services with a
#: check of each of two endpoints fit in.
EVIDENCE_LIMIT = 4096

#: Pieces of evidence that may be connected. A component is computed anew at each change in it; a backend has a
#: handful of evidence, and eighty boxes under one cloned id fit in.
CONNECTED_LIMIT = 256


@dataclass(frozen=True, slots=True, eq=False)
class _Component:
    """What connected evidence amounts to."""

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
    """

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        self._lock = threading.RLock()
        self._world = World({kind.id: kind for kind in kinds})
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
        self._untold: deque[tuple[tuple[Event, ...], Snapshot]] = deque()
        self._telling = threading.RLock()
        self._is_telling = False
        self.dropped = 0
        """Announcements that were dropped because a limit was reached."""

    def apply(self, datum: Announcement | Withdrawal, now: float) -> Change:
        """Take one piece of evidence, or take one back. Returns the events and the checks to make."""
        with self._lock:
            touched = self._connected([datum.key])
            old = self._remove(datum.key)
            checks: tuple[Check, ...] = ()
            if isinstance(datum, Announcement) and self._has_room_for(datum):
                self._insert(renew(old, datum, now))
                checks = self._checks_for(datum, now)
            events = self._rebuild(touched | self._connected([datum.key]), now)
        self._tell()
        return Change(events, checks)

    def set_local(self, addresses: Iterable[str], now: float) -> Change:
        """Say which addresses this machine has (link-local ones with their zone)."""
        with self._lock:
            local = frozenset(addresses)
            if local == self._world.local:
                return Change()
            self._world = replace(self._world, local=local)
            self._index.clear()
            for item in self._evidence.values():
                self._index_keys(item.announcement)
            events = self._rebuild(set(self._evidence), now)
        self._tell()
        return Change(events)

    def tick(self, now: float) -> Change:
        """Let time pass: what was silent for too long goes, and orphaned checks are forgotten."""
        with self._lock:
            fading = {
                key for key, item in self._evidence.items() if item.failing_since is not None or _orphan(item, now)
            }
            touched = self._connected(fading)
            for key in fading:
                if _orphan(self._evidence[key], now) and not self._has_standing(self._connected([key])):
                    self._remove(key)
            events = self._rebuild(touched, now)
        self._tell()
        return Change(events)

    def due(self, now: float) -> tuple[Check, ...]:
        """Return the checks that it is time to make, oldest first."""
        with self._lock:
            found: dict[EndpointKey, tuple[float, Check]] = {}
            for item in self._evidence.values():
                a = item.announcement
                if a.source is SourceName.PROBE:
                    continue
                for endpoint in a.endpoints:
                    last = self._evidence.get((SourceName.PROBE, check_ref(endpoint.key)))
                    at = 0.0 if last is None else last.at + next_check_after_s(last.failures)
                    # The user's own words go first: they may hold the name that the server wants to hear.
                    if at <= now and (a.source is SourceName.MANUAL or endpoint.key not in found):
                        found[endpoint.key] = (at, Check(endpoint, a.kind))
            return tuple(check for _, check in sorted(found.values(), key=lambda pair: pair[0]))

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
        if announcement.source is not SourceName.MDNS and announcement.standing:
            return True
        if len(self._evidence) >= EVIDENCE_LIMIT:
            trouble = f"There are more than {EVIDENCE_LIMIT} announcements"
        elif self._would_connect(announcement) >= CONNECTED_LIMIT:
            trouble = f"More than {CONNECTED_LIMIT} announcements claim to be one service"
        else:
            return True
        self.dropped += 1
        level = logging.WARNING if self.dropped == 1 else logging.DEBUG
        log.log(level, "%s; what comes beyond is dropped.", trouble)
        return False

    def _would_connect(self, announcement: Announcement) -> int:
        if announcement.source is SourceName.PROBE:
            return 0  # a check: there is one for each endpoint that was let in
        own = keys(announcement, self._world.local)
        return len(self._connected({key for each in own for key in self._index.get(each, ())}))

    def _remove(self, key: EvidenceKey) -> Evidence | None:
        for own in self._keys.pop(key, ()):
            self._index[own].discard(key)
            if not self._index[own]:
                del self._index[own]
        return self._evidence.pop(key, None)

    def _insert(self, item: Evidence) -> None:
        self._evidence[item.announcement.key] = item
        self._index_keys(item.announcement)

    def _index_keys(self, announcement: Announcement) -> None:
        self._keys[announcement.key] = keys(announcement, self._world.local)
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
        old = {component for key in touched if (component := self._components.pop(key, None))}
        before = {service.id: service for component in old for service in component.services}
        after: dict[str, Service] = {}
        rest = touched & self._evidence.keys()
        while rest:
            members = self._connected([next(iter(rest))])
            rest -= members
            services, warnings = services_of([self._evidence[key] for key in members], self._world, now)
            component = _Component(services, warnings)
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

    def _checks_for(self, announcement: Announcement, now: float) -> tuple[Check, ...]:
        """Return a check for each endpoint of a claim that is not known to answer right now."""
        if announcement.source is SourceName.PROBE:
            return ()

        def answers(key: EndpointKey) -> bool:
            last = self._evidence.get((SourceName.PROBE, check_ref(key)))
            return last is not None and last.failing_since is None and now - last.at < CHECK_EVERY_S

        return tuple(Check(e, announcement.kind) for e in announcement.endpoints if not answers(e.key))

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
