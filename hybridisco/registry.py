"""The one registry: a lock around the merge rules, a revision, and subscribers.

Thread-safe. Every call that may change something takes ``now`` (seconds since the epoch), returns what it
changed as data, and tells the subscribers; nothing in here waits for the network or asks for the time.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from hybridisco.core.identity import Key, keys
from hybridisco.core.kind import Kind
from hybridisco.core.liveness import ORPHAN_AFTER_S, next_check_after_s
from hybridisco.core.merge import Evidence, World, renew, services_of
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

log = logging.getLogger(__name__)

#: Pieces of evidence that are kept; what comes beyond is dropped and counted. 1024 services with a check of
#: each of two endpoints fit in.
EVIDENCE_LIMIT = 4096

Subscriber = Callable[[tuple[Event, ...], Snapshot], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Component:
    """What connected evidence amounts to."""

    members: frozenset[EvidenceKey]
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
        self._index: dict[Key, set[EvidenceKey]] = defaultdict(set)
        self._components: dict[EvidenceKey, _Component] = {}
        self._snapshot: Snapshot | None = None
        self._revision = 0
        self._subscribers: list[Subscriber] = []
        self.dropped = 0
        """Announcements that were dropped because :data:`EVIDENCE_LIMIT` was reached."""

    def apply(self, datum: Announcement | Withdrawal, now: float) -> Change:
        """Take one piece of evidence, or take one back. Returns the events and the checks to make."""
        with self._lock:
            touched = self._connected([datum.key])
            old = self._remove(datum.key)
            if isinstance(datum, Announcement) and self._has_room():
                self._insert(renew(old, datum, now))
            events = self._rebuild(touched | self._connected([datum.key]), now)
            checks = self._checks_for(datum) if isinstance(datum, Announcement) else ()
        self._publish(events)
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
                self._index_keys(item)
            events = self._rebuild(set(self._evidence), now)
        self._publish(events)
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
        self._publish(events)
        return Change(events)

    def due(self, now: float) -> tuple[Check, ...]:
        """Return the checks that it is time to make, oldest first."""
        with self._lock:
            found: dict[tuple[str, int, bool, str], tuple[float, Check]] = {}
            for item in self._evidence.values():
                a = item.announcement
                if a.source is SourceName.PROBE:
                    continue
                for endpoint in a.endpoints:
                    last = self._evidence.get((SourceName.PROBE, check_ref(endpoint.key)))
                    at = 0.0 if last is None else last.at + next_check_after_s(last.failures)
                    if at <= now:
                        found[endpoint.key] = (at, Check(endpoint, a.kind))
            return tuple(check for _, check in sorted(found.values(), key=lambda pair: pair[0]))

    def snapshot(self) -> Snapshot:
        """Return the registry as it is now. Cheap when nothing changed since the last call."""
        with self._lock:
            if self._snapshot is None:
                parts = set(self._components.values())
                services = sorted((s for part in parts for s in part.services), key=lambda s: (s.name.lower(), s.id))
                warnings = sorted({warning for part in parts for warning in part.warnings})
                self._snapshot = Snapshot(self._revision, tuple(services), tuple(warnings))
            return self._snapshot

    @property
    def revision(self) -> int:
        """The number of the current snapshot. Reading it takes no lock."""
        return self._revision

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call ``subscriber`` after every change, in the thread that made it; returns how to stop that.

        It must not block. An error in it is logged and does not reach the source.
        """
        with self._lock:
            self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            with self._lock:
                if subscriber in self._subscribers:
                    self._subscribers.remove(subscriber)

        return unsubscribe

    # -- behind the lock ------------------------------------------------------------------------------

    def _has_room(self) -> bool:
        if len(self._evidence) < EVIDENCE_LIMIT:
            return True
        self.dropped += 1
        level = logging.WARNING if self.dropped == 1 else logging.DEBUG
        log.log(level, "There are more than %d announcements; what comes beyond is dropped.", EVIDENCE_LIMIT)
        return False

    def _remove(self, key: EvidenceKey) -> Evidence | None:
        old = self._evidence.pop(key, None)
        for own in keys(old.announcement, self._world.local) if old else ():
            self._index[own].discard(key)
            if not self._index[own]:
                del self._index[own]
        return old

    def _insert(self, item: Evidence) -> None:
        self._evidence[item.announcement.key] = item
        self._index_keys(item)

    def _index_keys(self, item: Evidence) -> None:
        for own in keys(item.announcement, self._world.local):
            self._index[own].add(item.announcement.key)

    def _connected(self, start: Iterable[EvidenceKey]) -> set[EvidenceKey]:
        """Return all evidence that is connected to ``start``, itself included."""
        found: set[EvidenceKey] = set()
        waiting = [key for key in start if key in self._evidence]
        while waiting:
            key = waiting.pop()
            if key in found:
                continue
            found.add(key)
            for own in keys(self._evidence[key].announcement, self._world.local):
                waiting.extend(self._index[own] - found)
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
            component = _Component(frozenset(members), services, warnings)
            self._components.update(dict.fromkeys(members, component))
            after.update((service.id, service) for service in services)
        self._snapshot = None
        events = _events(before, after)
        self._revision += bool(events)
        return events

    def _has_standing(self, members: set[EvidenceKey]) -> bool:
        return any(self._evidence[key].announcement.standing for key in members)

    def _checks_for(self, announcement: Announcement) -> tuple[Check, ...]:
        """Return a check for each endpoint of a claim that is not known to answer right now."""
        if announcement.source is SourceName.PROBE:
            return ()

        def answers(key: tuple[str, int, bool, str]) -> bool:
            last = self._evidence.get((SourceName.PROBE, check_ref(key)))
            return last is not None and last.failing_since is None

        return tuple(Check(e, announcement.kind) for e in announcement.endpoints if not answers(e.key))

    def _publish(self, events: tuple[Event, ...]) -> None:
        if not events:
            return
        snapshot = self.snapshot()
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(events, snapshot)
            except Exception:
                log.exception("A subscriber of the registry failed; it stays subscribed.")


def _orphan(item: Evidence, now: float) -> bool:
    return not item.announcement.standing and now - item.at > ORPHAN_AFTER_S
