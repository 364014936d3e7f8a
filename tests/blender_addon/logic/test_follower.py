"""What the panel shows while discovery comes, goes, fails and is changed, driven tick by tick."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blender_addon.logic.follower import Follower, Phase
from hybridisco import Config, ConfigError, Endpoint, Service, SourceName, Status
from hybridisco.core.model import SourceState
from hybridisco.trust.change import KeyChange
from tests.formats.samples import BUSY, GONE, LOCKED, service
from tests.settings import entry

from .fakes import FakeDiscovery

NOW = 1_790_000_000.0


class Stage:
    """A follower, and the discoveries that it made."""

    def __init__(self, *, ends: bool = True) -> None:
        self.made: list[FakeDiscovery] = []
        self._ends = ends
        self.follower = Follower(self._make)

    def _make(self, config: Config) -> FakeDiscovery:
        self.made.append(FakeDiscovery(config, ends=self._ends))
        return self.made[-1]

    @property
    def discovery(self) -> FakeDiscovery:
        return self.made[-1]

    @property
    def shown(self) -> dict[str, Status]:
        return {one.id: one.status for one in self.follower.view.services}


@pytest.fixture
def stage() -> Stage:
    return Stage()


def started(stage: Stage, *services: Service, complete: bool = True) -> FakeDiscovery:
    """Start, and find these."""
    stage.follower.start(Config())
    stage.discovery.finds(*services, complete=complete)
    assert stage.follower.tick(NOW)
    return stage.discovery


def test_it_goes_from_off_to_searching_to_following(stage: Stage) -> None:
    follower = stage.follower
    assert (follower.view.phase, follower.running, follower.tick(NOW)) == (Phase.OFF, False, False)
    follower.start(Config())
    assert follower.tick(NOW)
    assert (follower.view.phase, follower.running) == (Phase.SEARCHING, True)
    stage.discovery.finds(service())
    assert follower.tick(NOW + 1)
    assert (follower.view.phase, follower.view.searched_at) == (Phase.SEARCHING, None)
    stage.discovery.finds(service(), LOCKED, complete=True)
    assert follower.tick(NOW + 2)
    assert (follower.view.phase, follower.view.searched_at) == (Phase.FOLLOWING, NOW + 2)
    assert set(stage.shown) == {service().id, LOCKED.id}
    assert follower.view.get(LOCKED.id) == LOCKED and follower.view.get("nobody") is None


def test_a_tick_without_news_takes_no_snapshot(stage: Stage) -> None:
    discovery = started(stage, service())
    taken = discovery.snapshots_taken
    assert not any(stage.follower.tick(NOW + n / 4) for n in range(100))
    assert discovery.snapshots_taken == taken
    discovery.finds(service(status=Status.BUSY), complete=True)
    assert stage.follower.tick(NOW + 200)
    assert stage.shown == {service().id: Status.BUSY}


def test_a_second_search_has_a_time_of_its_own(stage: Stage) -> None:
    discovery = started(stage, service())
    stage.follower.rescan()
    assert discovery.rescans == 1
    assert stage.follower.tick(NOW + 5)
    assert stage.follower.view.phase is Phase.SEARCHING
    assert set(stage.shown) == {service().id}, "what is known stays in sight"
    discovery.complete = True
    assert stage.follower.tick(NOW + 6)
    assert stage.follower.view.searched_at == NOW + 6


def test_what_is_remembered_is_marked_until_it_is_found(stage: Stage) -> None:
    stage.follower.remember([service(), LOCKED])
    assert stage.follower.tick(NOW), "the rows are to be drawn"
    assert stage.shown == {service().id: Status.STALE, LOCKED.id: Status.STALE}
    assert stage.follower.view.last_known == {service().id, LOCKED.id}
    assert not any(one.verified for one in stage.follower.view.services)
    started(stage, service(), complete=False)
    assert stage.shown == {service().id: Status.ONLINE, LOCKED.id: Status.STALE}
    assert stage.follower.view.last_known == {LOCKED.id}
    stage.discovery.finds(service(), complete=True)
    stage.follower.tick(NOW + 1)
    assert stage.shown == {service().id: Status.ONLINE}, "it was looked for, and is not there"
    assert stage.follower.view.last_known == frozenset()


def test_what_could_not_be_looked_for_stays_as_last_known(stage: Stage) -> None:
    on_the_lan, here = service(sources=(SourceName.MDNS,)), replace(LOCKED, sources=(SourceName.PROBE,))
    stage.follower.remember([on_the_lan, here])
    stage.follower.start(Config())
    no_network = (
        (SourceName.MDNS, SourceState("error", "No network interface is up.")),
        (SourceName.PROBE, SourceState("ok")),
    )
    stage.discovery.finds(complete=True, sources=no_network)
    stage.follower.tick(NOW)
    assert stage.follower.view.last_known == {on_the_lan.id}


def test_one_that_has_another_id_now_is_not_shown_twice(stage: Stage) -> None:
    """Its sidecar was switched on meanwhile."""
    before = service(id="comfyui@10.77.0.2:8188", sources=(SourceName.PROBE,))
    stage.follower.remember([before])
    started(stage, service(), complete=False)
    assert stage.shown == {service().id: Status.ONLINE}


def test_other_settings_start_a_new_search_and_nothing_flickers(stage: Stage) -> None:
    old = started(stage, service(), BUSY)
    stage.follower.start(Config(probe_hosts=("gpu-box",)))
    assert not old.running and stage.discovery is not old
    assert stage.follower.tick(NOW + 1)
    assert stage.follower.view.last_known == {service().id, BUSY.id}
    stage.discovery.finds(service(), complete=True)
    stage.follower.tick(NOW + 2)
    assert stage.shown == {service().id: Status.ONLINE}


def test_other_manual_entries_need_no_new_search(stage: Stage) -> None:
    discovery = started(stage, service())
    wanted = (entry("http://gpu-box:8188", "comfyui"),)
    stage.follower.set_services(wanted)
    assert stage.discovery is discovery and discovery.entries == wanted
    assert stage.follower.config is not None and stage.follower.config.services == wanted


def test_stopping_keeps_what_is_known_as_last_known(stage: Stage) -> None:
    discovery = started(stage, service())
    assert stage.follower.stop()
    assert stage.follower.tick(NOW + 1)
    assert not discovery.running and not stage.follower.running
    assert stage.follower.view.phase is Phase.OFF
    assert stage.follower.view.last_known == {service().id}
    assert not stage.follower.tick(NOW + 2)


def test_stopping_waits_for_no_thread_unless_asked_to() -> None:
    stage = Stage(ends=False)
    old = started(stage, service())
    stage.follower.start(Config(rescan_s=9))
    assert old.running, "it is told to end, and nobody waits"
    new = stage.discovery
    assert not stage.follower.stop()
    assert stage.follower.stop(timeout_s=2.0)
    assert not old.running and not new.running


def test_a_failure_is_said_and_what_is_known_stays(stage: Stage) -> None:
    discovery = started(stage, service())
    discovery.running, discovery.error = False, RuntimeError("no more threads")
    assert stage.follower.tick(NOW + 1)
    assert (stage.follower.view.phase, stage.follower.view.error) == (Phase.FAILED, "RuntimeError: no more threads")
    assert not stage.follower.tick(NOW + 2)
    stage.follower.start(Config())
    stage.follower.tick(NOW + 3)
    assert (stage.follower.view.phase, stage.follower.view.error) == (Phase.SEARCHING, None)


@pytest.mark.parametrize(
    ("error", "words"),
    [(MemoryError(), "MemoryError"), (ConfigError("Write it so."), "Write it so."), (None, "by itself")],
)
def test_every_failure_has_words(stage: Stage, error: Exception | None, words: str) -> None:
    discovery = started(stage)
    discovery.running, discovery.error = False, error
    stage.follower.tick(NOW + 1)
    assert words in (stage.follower.view.error or "")


def test_how_the_sources_are_doing_is_news_too(stage: Stage) -> None:
    discovery = started(stage, complete=True)
    hanging = SourceState("ok", None, (Endpoint("127.0.0.1", 8188),))
    discovery.states = ((SourceName.PROBE, hanging),)
    discovery.snapshot = replace(discovery.snapshot, sources=discovery.states)
    assert stage.follower.tick(NOW + 1)
    assert dict(stage.follower.view.snapshot.sources)[SourceName.PROBE] is hanging


def test_when_something_was_last_seen_is_taken_over_now_and_then(stage: Stage) -> None:
    discovery = started(stage, service())
    discovery.snapshot = replace(discovery.snapshot, services=(service(last_seen=NOW + 70),))  # no new revision
    assert not stage.follower.tick(NOW + 30)
    assert stage.follower.tick(NOW + 70)
    assert stage.follower.view.services[0].last_seen == NOW + 70


def test_one_without_an_address_can_be_last_known(stage: Stage) -> None:
    stage.follower.remember([GONE])
    started(stage, service(), complete=False)
    assert stage.follower.view.last_known == {GONE.id}


UNTRUSTED = service(id=f"{service().id}~comfyui@10.77.0.2:8188", status=Status.UNTRUSTED)


def test_one_that_is_not_trusted_is_never_last_known(stage: Stage) -> None:
    started(stage, UNTRUSTED, BUSY)
    assert UNTRUSTED.id in stage.shown
    stage.follower.stop()
    assert stage.shown == {BUSY.id: Status.STALE}
    stage.follower.remember([UNTRUSTED, BUSY])
    assert stage.shown == {BUSY.id: Status.STALE}


def test_new_keys_are_asked_for_and_accepted_while_discovery_runs(stage: Stage) -> None:
    assert stage.follower.key_changes(UNTRUSTED) == ()
    assert stage.follower.accept_key(UNTRUSTED, "key") is None
    discovery = started(stage, UNTRUSTED, BUSY)
    change = KeyChange(service().id, "ComfyUI", "key", "SHA256:new", NOW)
    discovery.changes = {UNTRUSTED.id: (change,), BUSY.id: (change,)}
    assert stage.follower.key_changes(UNTRUSTED) == (change,)
    assert stage.follower.key_changes(BUSY) == (), "nothing is to be accepted there"
    done = stage.follower.accept_key(UNTRUSTED, "key")
    assert done is not None and done.done() and discovery.accepted == [(UNTRUSTED.id, "key")]
