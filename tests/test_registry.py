"""The registry: one truth for many threads, told in order; what to look at, and when."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from hybridisco.core.liveness import CHECK_EVERY_S, GONE_AFTER_S
from hybridisco.core.model import Event, EventType, Snapshot, Status
from hybridisco.kinds import BUILTIN
from hybridisco.registry import ServiceRegistry
from tests.memory.samples import entry
from tests.say import NOW, answer, at, down, gone, look, manual, mdns, online, only, orphaned, say, scan

BOX = "10.0.0.2"


@pytest.fixture
def registry() -> ServiceRegistry:
    return ServiceRegistry(BUILTIN)


class Listener:
    """A subscriber that remembers."""

    def __init__(self) -> None:
        self.told: list[tuple[tuple[Event, ...], Snapshot]] = []

    def __call__(self, events: tuple[Event, ...], snapshot: Snapshot) -> None:
        self.told.append((events, snapshot))

    @property
    def types(self) -> list[str]:
        return [event.type.value for events, _ in self.told for event in events]


class TestEvents:
    def test_added_updated_removed(self, registry: ServiceRegistry) -> None:
        claim = mdns("box", BOX)
        changes = [
            registry.apply(claim, NOW),
            registry.apply(look(at(BOX), online()), NOW),
            registry.apply(gone(claim), NOW),
        ]
        types = [event.type for change in changes for event in change.events]
        assert types == [EventType.ADDED, EventType.UPDATED, EventType.REMOVED]
        assert registry.revision == 3

    def test_being_seen_again_is_no_event_but_is_remembered(self, registry: ServiceRegistry) -> None:
        registry.apply(mdns("box", BOX), NOW)
        registry.apply(look(at(BOX), online()), NOW)
        revision = registry.revision
        assert registry.apply(look(at(BOX), online()), NOW + 5).events == ()
        assert registry.revision == revision
        assert registry.snapshot().services[0].last_seen == NOW + 5

    def test_a_removed_service_is_told_as_it_was_last(self, registry: ServiceRegistry) -> None:
        claim = mdns("box", BOX, version="7")
        registry.apply(claim, NOW)
        (event,) = registry.apply(gone(claim), NOW).events
        assert (event.service.name, event.service.version) == ("box", "7")

    def test_taking_back_what_was_never_said(self, registry: ServiceRegistry) -> None:
        assert registry.apply(gone(mdns("box", BOX)), NOW).events == ()
        assert registry.snapshot() == Snapshot()

    def test_own_addresses_join_what_was_apart(self, registry: ServiceRegistry) -> None:
        registry.apply(scan("127.0.0.1", online()), NOW)
        registry.apply(mdns("me", "10.0.0.1"), NOW)
        assert len(registry.snapshot()) == 2
        assert registry.set_local({"10.0.0.1"}, NOW).events
        assert len(registry.snapshot()) == 1
        assert registry.set_local({"10.0.0.1"}, NOW).events == ()
        registry.set_local({"10.0.0.9"}, NOW)
        assert len(registry.snapshot()) == 2

    def test_services_are_in_the_order_of_their_names(self, registry: ServiceRegistry) -> None:
        for number, name in enumerate(["b", "A", "c", "B"]):
            registry.apply(mdns(name, f"10.0.1.{number}"), NOW)
        assert [service.name for service in registry.snapshot()] == ["A", "b", "B", "c"]
        registry.apply(gone(mdns("b", BOX)), NOW)
        assert [service.name for service in registry.snapshot()] == ["A", "B", "c"]

    def test_a_snapshot_is_made_once(self, registry: ServiceRegistry) -> None:
        registry.apply(mdns("box", BOX), NOW)
        assert registry.snapshot() is registry.snapshot()


class TestSubscribers:
    def test_each_change_with_the_snapshot_it_led_to(self, registry: ServiceRegistry) -> None:
        listener = Listener()
        registry.subscribe(listener)
        registry.apply(mdns("a", BOX), NOW)
        registry.apply(mdns("b", "10.0.0.3"), NOW)
        assert [(len(snapshot), snapshot.revision) for _, snapshot in listener.told] == [(1, 1), (2, 2)]

    def test_until_it_unsubscribes(self, registry: ServiceRegistry) -> None:
        listener = Listener()
        stop, stop_other = registry.subscribe(listener), registry.subscribe(listener)
        registry.apply(mdns("a", BOX), NOW)
        stop()
        stop()
        registry.apply(mdns("b", "10.0.0.3"), NOW)
        stop_other()
        registry.apply(mdns("c", "10.0.0.4"), NOW)
        assert listener.types == ["added"] * 3

    def test_an_error_in_one_reaches_neither_the_source_nor_the_others(
        self, registry: ServiceRegistry, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(events: tuple[Event, ...], snapshot: Snapshot) -> None:
            raise RuntimeError("a face fell over")

        listener = Listener()
        registry.subscribe(broken)
        registry.subscribe(listener)
        with caplog.at_level(logging.ERROR):
            assert registry.apply(mdns("a", BOX), NOW).events
        assert listener.types == ["added"]
        assert "a face fell over" in caplog.text

    def test_one_that_changes_the_registry_keeps_the_order_for_the_others(self, registry: ServiceRegistry) -> None:
        claim = mdns("a", BOX)

        def contrary(events: tuple[Event, ...], snapshot: Snapshot) -> None:
            if events[0].type is EventType.ADDED:
                registry.apply(gone(claim), NOW)

        listener = Listener()
        registry.subscribe(contrary)
        registry.subscribe(listener)
        registry.apply(claim, NOW)
        assert listener.types == ["added", "removed"]

    def test_one_may_unsubscribe_while_it_is_told(self, registry: ServiceRegistry) -> None:
        stops: list[Callable[[], None]] = []
        listener = Listener()
        stops.append(registry.subscribe(lambda events, snapshot: stops[0]()))
        registry.subscribe(listener)
        registry.apply(mdns("a", BOX), NOW)
        registry.apply(mdns("b", "10.0.0.3"), NOW)
        assert listener.types == ["added", "added"]


class TestThreads:
    def test_many_at_once(self, registry: ServiceRegistry) -> None:
        """Each thread says and takes back its own, and all meet at one box; readers look on."""
        listener = Listener()
        registry.subscribe(listener)
        start = threading.Barrier(6)
        done = threading.Event()

        def write(thread: int) -> None:
            start.wait(10)
            for turn in range(60):
                claim = mdns(f"{thread}", f"10.0.{thread}.1", BOX, id=f"ID{thread}")
                registry.apply(claim, NOW + turn)
                registry.apply(look(at(BOX), online()), NOW + turn)
                registry.tick(NOW + turn)
                if turn % 2:
                    registry.apply(gone(claim), NOW + turn)

        def read() -> int:
            start.wait(10)
            last = 0
            while not done.is_set():
                snapshot = registry.snapshot()
                assert snapshot.revision >= last
                assert len({service.id for service in snapshot}) == len(snapshot)
                last = snapshot.revision
                registry.due(NOW)
            return last

        with ThreadPoolExecutor(6) as pool:
            writers = [pool.submit(write, thread) for thread in range(4)]
            readers = [pool.submit(read) for _ in range(2)]
            try:
                for writer in writers:
                    writer.result(30)
            finally:
                done.set()
            for reader in readers:
                reader.result(30)

        assert [snapshot.revision for _, snapshot in listener.told] == list(range(1, registry.revision + 1))
        seen: set[str] = set()
        for events, snapshot in listener.told:
            for event in events:
                (seen.discard if event.type is EventType.REMOVED else seen.add)(event.service.id)
            assert seen == {service.id for service in snapshot}
        assert len(registry.snapshot()) == 0

    def test_reading_does_not_wait_for_a_slow_subscriber(self, registry: ServiceRegistry) -> None:
        told, go_on = threading.Event(), threading.Event()

        def slow(events: tuple[Event, ...], snapshot: Snapshot) -> None:
            told.set()
            assert go_on.wait(10)

        registry.subscribe(slow)
        writer = threading.Thread(target=registry.apply, args=(mdns("a", BOX), NOW))
        writer.start()
        try:
            assert told.wait(10)
            with ThreadPoolExecutor(1) as pool:
                assert len(pool.submit(registry.snapshot).result(5)) == 1
        finally:
            go_on.set()
            writer.join(10)


class TestChecks:
    def test_a_claim_is_to_be_checked_at_each_of_its_addresses(self, registry: ServiceRegistry) -> None:
        change = registry.apply(mdns("box", BOX, "fd00::2"), NOW)
        assert [(c.endpoint.address, c.kind) for c in change.checks] == [(BOX, "comfyui"), ("fd00::2", "comfyui")]

    def test_what_was_found_by_looking_is_not(self, registry: ServiceRegistry) -> None:
        assert registry.apply(scan("127.0.0.1", online()), NOW).checks == ()
        assert registry.apply(look(at(BOX), online()), NOW).checks == ()
        assert registry.due(NOW + 1000) == ()

    def test_what_answered_just_now_is_not_checked_again(self, registry: ServiceRegistry) -> None:
        answer(registry, registry.apply(mdns("box", BOX), NOW).checks, online())
        assert registry.apply(mdns("box", BOX), NOW + 1).checks == ()

    def test_what_returns_after_a_while_is(self, registry: ServiceRegistry) -> None:
        claim = mdns("box", BOX)
        answer(registry, registry.apply(claim, NOW).checks, online())
        registry.apply(gone(claim), NOW + 1)
        assert registry.apply(claim, NOW + 30).checks

    def test_what_failed_is_checked_at_once_when_it_is_announced_again(self, registry: ServiceRegistry) -> None:
        answer(registry, registry.apply(mdns("box", BOX), NOW).checks, down())
        assert registry.apply(mdns("box", BOX), NOW + 0.1).checks

    def test_it_is_due_again_and_again(self, registry: ServiceRegistry) -> None:
        answer(registry, registry.apply(mdns("box", BOX), NOW).checks, online())
        assert registry.due(NOW + CHECK_EVERY_S - 0.1) == ()
        assert [c.endpoint.address for c in registry.due(NOW + CHECK_EVERY_S)] == [BOX]

    def test_what_was_never_checked_is_due(self, registry: ServiceRegistry) -> None:
        registry.apply(mdns("box", BOX), NOW)
        assert registry.due(NOW)

    def test_the_longest_unseen_goes_first(self, registry: ServiceRegistry) -> None:
        for address, at_s in ((BOX, 2.0), ("10.0.0.3", 1.0), ("10.0.0.4", 3.0)):
            registry.apply(mdns(address, address), NOW)
            registry.apply(look(at(address), online()), NOW + at_s)
        due = [c.endpoint.address for c in registry.due(NOW + 60)]
        assert due == ["10.0.0.3", BOX, "10.0.0.4"]

    @pytest.mark.parametrize("turned", [False, True])
    def test_the_name_that_the_user_wrote_is_the_one_to_ask_by(self, registry: ServiceRegistry, turned: bool) -> None:
        claims = [mdns("box", BOX), manual("http://gpu-box:8188", BOX, host="gpu-box")]
        for claim in reversed(claims) if turned else claims:
            registry.apply(claim, NOW)
        (check,) = registry.due(NOW)
        assert check.endpoint.host == "gpu-box"

    def test_what_falls_silent_is_asked_about(self, registry: ServiceRegistry) -> None:
        claim = mdns("box", BOX)
        say(registry, claim, look(at(BOX), online()))
        assert registry.apply(look(at(BOX), online()), NOW + 4).doubts == ()
        assert registry.apply(look(at(BOX), down("timeout")), NOW + 8).doubts == (claim.ref,)
        assert registry.apply(look(at(BOX), down("timeout")), NOW + 12).doubts == ()

    def test_who_has_lost_his_announcer_is_not_checked_because_of_it(self, registry: ServiceRegistry) -> None:
        claim = mdns("box", BOX)
        registry.apply(claim, NOW)
        assert registry.apply(orphaned(claim), NOW + 60).checks == ()

    def test_nothing_is_due_after_a_goodbye(self, registry: ServiceRegistry) -> None:
        claim = mdns("box", BOX)
        registry.apply(claim, NOW)
        registry.apply(gone(claim), NOW)
        assert registry.due(NOW + 1000) == ()


class TestNetwork:
    """What the merge makes of it is in core/test_fade.py."""

    def test_saying_the_same_again_is_no_change(self, registry: ServiceRegistry) -> None:
        say(registry, manual("u", BOX, host="box", kind="comfyui"), look(at(BOX), online()))
        assert registry.set_network({"10.0.0.1"}, NOW, lost={"eth0"}, offline=True).events
        revision = registry.revision
        change = registry.set_network({"10.0.0.1"}, NOW + 1, lost={"eth0"}, offline=True)
        assert (change.events, change.checks, registry.revision) == ((), (), revision)

    def test_subscribers_are_told(self, registry: ServiceRegistry) -> None:
        listener = Listener()
        say(registry, manual("u", BOX, host="box", kind="comfyui"), look(at(BOX), online()))
        registry.subscribe(listener)
        registry.set_network((), NOW + 1, offline=True)
        registry.set_network((), NOW + 2)
        assert listener.types == ["updated", "updated"]

    def test_hundreds_that_fail_at_a_pulled_cable_are_one_change_each(self, registry: ServiceRegistry) -> None:
        for number in range(50):
            claim = manual(f"{number}", f"10.1.0.{number + 1}", host=f"box{number}", kind="comfyui")
            say(registry, claim, look(at(f"10.1.0.{number + 1}"), online()))
        assert len(registry.set_network((), NOW + 1, offline=True).events) == 50
        for number in range(50):
            assert registry.apply(look(at(f"10.1.0.{number + 1}"), down("unroutable")), NOW + 2).events == ()


class TestWake:
    def test_everything_that_is_claimed_is_looked_at(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX, "fd00::2"), mdns("other", "10.0.0.3"), manual("u", "10.0.0.4", host="u"))
        say(registry, look(at(BOX), online()), look(at("10.0.0.3"), down("timeout")), scan("127.0.0.1", online()))
        dials = sorted(check.endpoint.dial for check in registry.wake(NOW + 3600).checks)
        assert dials == [BOX, "10.0.0.3", "10.0.0.4", "fd00::2"]

    def test_the_sleep_is_no_silence(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX), look(at(BOX), online()))
        say(registry, look(at(BOX), down("timeout")), now=NOW + 4)
        registry.wake(NOW + 3600)
        registry.tick(NOW + 3600 + GONE_AFTER_S - 0.1)
        assert only(registry).status is Status.STALE
        registry.tick(NOW + 3600 + GONE_AFTER_S)
        assert len(registry.snapshot()) == 0

    def test_what_was_gone_before_stays_gone(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX), look(at(BOX), online()))
        say(registry, look(at(BOX), down("timeout")), now=NOW + 4)
        registry.tick(NOW + 4 + GONE_AFTER_S)
        registry.wake(NOW + 3600)
        registry.tick(NOW + 3600)
        assert len(registry.snapshot()) == 0


class TestWhatIsRemembered:
    """See tests/test_recall.py for what becomes of it."""

    def test_it_is_held_until_somebody_else_speaks_of_it(self) -> None:
        registry = ServiceRegistry(BUILTIN)
        claim = entry("X").announcement()
        say(registry, claim)
        assert registry.holds(claim.key)
        say(registry, mdns("Other", "10.0.0.7", id="Y"))
        assert registry.holds(claim.key)
        say(registry, mdns("Box", "10.0.0.7", id="X"))
        assert not registry.holds(claim.key)
        say(registry, claim)
        assert not registry.holds(claim.key), "it comes too late"

    def test_it_is_looked_at_again_only_if_it_has_answered(self) -> None:
        registry = ServiceRegistry(BUILTIN)
        claim = entry("X").announcement()
        say(registry, claim)
        assert registry.due(NOW + 60) == ()
        say(registry, look(claim.endpoints[0], online()))
        assert [check.endpoint for check in registry.due(NOW + 60)] == [claim.endpoints[0]]
        assert registry.answers_as(claim.endpoints[0].key, "comfyui")
        assert not registry.answers_as(claim.endpoints[0].key, "wan2gp")

    def test_what_mdns_said_and_what_it_speaks_for(self) -> None:
        registry = ServiceRegistry(BUILTIN)
        registry.set_local({"10.0.0.9"}, NOW)
        said, here = mdns("Box", "10.0.0.1", id="X"), mdns("Here", "10.0.0.9", id="Y")
        say(registry, said, here, scan("10.0.0.2", online()))
        assert [(service.id, announcement) for service, announcement in registry.announced()] == [("X", said)]
        assert registry.said(said.key) == said
        registry.apply(gone(said), NOW)
        assert registry.said(said.key) is None
