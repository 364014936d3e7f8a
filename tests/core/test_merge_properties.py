"""What must hold whatever happens, in whatever order: hypothesis looks for a history that breaks it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridisco.core.fade import out_of_reach
from hybridisco.core.identity import partition
from hybridisco.core.liveness import State
from hybridisco.core.model import ALIVE, EventType, Service, SourceName, Status, Trust, check_ref
from hybridisco.registry import ServiceRegistry
from tests.say import NOW, gone
from tests.tiny_world import (
    LOCAL_SETS,
    LOST_SETS,
    PIN_SETS,
    Scratch,
    SetNetwork,
    Step,
    Tick,
    claims,
    do,
    finds,
    histories,
    interleaved,
    new_registry,
)

HISTORIES = histories()
SAYINGS = histories(changes=False)
NETWORKS = st.builds(SetNetwork, st.sampled_from(LOCAL_SETS), st.sampled_from(LOST_SETS))
quick = settings(max_examples=60, deadline=None)

ALWAYS_EXPLAINED = {*Status} - {Status.ONLINE, Status.BUSY}
LEFTOVER = re.compile(r"[{}]|\bNone\b|\(\)|  |^\s|\s$")


def told(registry: ServiceRegistry) -> tuple[tuple[Service, ...], tuple[str, ...]]:
    snapshot = registry.snapshot()
    return snapshot.services, snapshot.warnings


def lasting(service: Service) -> Service:
    """A service without what changes at each look, and is no event."""
    endpoints = tuple(replace(endpoint, latency_ms=None) for endpoint in service.endpoints)
    return replace(service, endpoints=endpoints, latency_ms=None, last_seen=0.0)


@given(SAYINGS, NETWORKS, st.data())
@quick
def test_the_order_of_different_evidence_does_not_matter(
    history: list[Step], network: SetNetwork, data: st.DataObject
) -> None:
    steps = [(step, NOW + data.draw(st.integers(0, 50))) for step in history]
    other = interleaved(steps, data.draw(st.permutations(range(len(steps)))))
    end = NOW + 50 + data.draw(st.sampled_from([0, 5, 9, 30, 120]))
    results = []
    for order in (steps, other):
        registry = new_registry()
        do(registry, network, NOW)
        for step, now in order:
            do(registry, step, now)
        registry.tick(end)
        results.append(told(registry))
    assert results[0] == results[1]


@pytest.mark.parametrize("pins", PIN_SETS)
@given(HISTORIES, st.lists(st.sampled_from([0.0, 1.0, 4.0, 9.0, 61.0]), min_size=20, max_size=20))
@quick
def test_the_registry_is_the_pure_merge_of_all_evidence(
    pins: dict[str, str], history: list[Step], gaps: list[float]
) -> None:
    registry, scratch, now = new_registry(pins), Scratch(pins), NOW
    for step, gap in zip(history, gaps, strict=False):
        now += gap
        for each in (step, Tick()):
            do(registry, each, now)
            scratch.do(each, now)
        assert told(registry) == scratch.services(now)


@given(HISTORIES, st.lists(st.sampled_from([0.0, 1.0, 4.0, 9.0, 61.0]), min_size=20, max_size=20))
@quick
def test_events_revision_and_snapshot_tell_the_same_story(history: list[Step], gaps: list[float]) -> None:
    registry, now, seen = new_registry(), NOW, {}
    for step, gap in zip(history, gaps, strict=False):
        now += gap
        before = registry.revision
        change = do(registry, step, now)
        assert registry.revision == before + bool(change.events)
        assert registry.snapshot().revision == registry.revision
        for event in change.events:
            known = event.service.id in seen
            assert known == (event.type is not EventType.ADDED), event
            if event.type is EventType.REMOVED:
                assert lasting(seen.pop(event.service.id)) == lasting(event.service)
            else:
                assert seen.get(event.service.id) != event.service
                seen[event.service.id] = event.service
        assert {i: lasting(s) for i, s in seen.items()} == {s.id: lasting(s) for s in registry.snapshot()}


@given(HISTORIES, st.lists(st.sampled_from([0.0, 4.0, 9.0, 61.0]), min_size=20, max_size=20))
@quick
def test_every_service_makes_sense(history: list[Step], gaps: list[float]) -> None:
    registry, now = new_registry(), NOW
    for step, gap in zip(history, gaps, strict=False):
        now += gap
        do(registry, step, now)
        services = registry.snapshot().services
        assert len({service.id for service in services}) == len(services)
        for service in services:
            assert service.endpoints and service.sources and service.name and service.host and service.kind
            assert len({endpoint.key for endpoint in service.endpoints}) == len(service.endpoints)
            assert service.verified <= (service.status not in (Status.UNREACHABLE, Status.MISMATCH, Status.STALE))
            assert service.first_seen <= service.last_seen <= now
            assert service.url == service.endpoints[0].url
            if service.status in (Status.ONLINE, Status.BUSY):
                assert service.endpoints[0].reachable
            assert (service.status is Status.UNTRUSTED) == (service.trust is Trust.UNTRUSTED)
            if service.status in ALWAYS_EXPLAINED:
                assert service.problem
            for text in (service.problem, service.name, service.host, *registry.snapshot().warnings):
                assert text is None or not LEFTOVER.search(text), text


@given(HISTORIES)
@quick
def test_what_is_claimed_is_looked_at_and_of_what_answers_one_endpoint(history: list[Step]) -> None:
    registry, scratch = new_registry(), Scratch()
    for step in history:
        do(registry, step, NOW)
        scratch.do(step, NOW)
    due = {check.endpoint.key for check in registry.due(NOW + 1000)}
    claimed = [item.announcement for item in scratch.evidence.values() if item.announcement.finding is None]
    for together in partition(claimed, lambda a: frozenset(e.key for e in a.endpoints)):
        reached = {e.key for a in together for e in a.endpoints if not out_of_reach([e], scratch.world)}
        looks = [scratch.evidence.get((SourceName.PROBE, check_ref(key))) for key in reached]
        answers = any(look and look.life.state is State.ALIVE for look in looks)
        assert len(due & reached) == (1 if answers else len(reached))
        due -= reached
    assert not due, "nobody claims these, or they are out of reach"


@given(HISTORIES)
@quick
def test_what_is_out_of_reach_is_never_shown_as_alive(history: list[Step]) -> None:
    registry, scratch = new_registry(), Scratch()
    for step in history:
        do(registry, step, NOW)
        scratch.do(step, NOW)
        for service in registry.snapshot():
            if out_of_reach(service.endpoints, scratch.world):
                assert service.status not in ALIVE


@given(HISTORIES)
@quick
def test_a_pinned_service_has_the_addresses_of_its_key_and_of_the_user_only(history: list[Step]) -> None:
    registry, scratch = new_registry(), Scratch()
    for step in history:
        do(registry, step, NOW)
        scratch.do(step, NOW)
        said = [item.announcement for item in scratch.evidence.values()]
        allowed = {
            endpoint.key
            for a in said
            if a.source is not SourceName.MDNS or scratch.world.trust(a) is Trust.PINNED
            for endpoint in a.endpoints
        }
        for service in registry.snapshot():
            if service.trust is Trust.PINNED:
                assert {endpoint.key for endpoint in service.endpoints} <= allowed


@given(SAYINGS, claims(("the new one",)), st.integers(0, 100))
@quick
def test_what_joined_parts_again(history: list[Step], extra: Step, later: int) -> None:
    registry = new_registry()
    for step in history:
        do(registry, step, NOW)
    registry.tick(NOW + later)
    before = told(registry)
    registry.apply(extra, NOW + later)
    registry.apply(gone(extra), NOW + later)
    assert told(registry) == before


@given(st.one_of(claims(("one",)), finds()), st.one_of(claims(("two",)), finds()))
@quick
def test_joining_is_symmetric(one: Step, other: Step) -> None:
    if one.key == other.key:
        return
    there, back = new_registry(), new_registry()
    for registry, order in ((there, (one, other)), (back, (other, one))):
        for step in order:
            registry.apply(step, NOW)
    assert told(there) == told(back)
