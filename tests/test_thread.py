"""Discovery in a thread: what a host program like Blender does with it, and what it must never do to the host."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hybridisco.config import Config
from hybridisco.core.errors import ConfigError, DiscoveryError, UsageError
from hybridisco.core.model import Event, Proof, Snapshot, Status, Trust
from hybridisco.testing import MockBackend
from hybridisco.thread import DiscoveryThread
from hybridisco.trust.store import KnownKeys, fingerprint
from tests.fakes import FakeSource
from tests.lab.wait import wait_until
from tests.say import mdns
from tests.settings import config, entry
from tests.trust.keys import SINCE, key

LIMIT_S = 10.0
STOP_LIMIT_S = 2.0


@pytest.fixture
def backend() -> Iterator[MockBackend]:
    """A mock ComfyUI in a thread of its own."""
    mock = MockBackend("comfyui")
    started, stop, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        async with mock:
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(LIMIT_S)
    yield mock
    loop.call_soon_threadsafe(stop.set)
    thread.join(LIMIT_S)
    loop.close()


class Waiter:
    """A subscriber that lets a test wait for a snapshot."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.snapshots: list[Snapshot] = []

    def __call__(self, events: tuple[Event, ...], snapshot: Snapshot) -> None:
        with self._changed:
            self.snapshots.append(snapshot)
            self._changed.notify_all()

    def until(self, wanted: Callable[[Snapshot], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(wanted, self.snapshots)), LIMIT_S), self.snapshots[-1:]


def online(snapshot: Snapshot) -> bool:
    return any(service.status is Status.ONLINE for service in snapshot)


@contextmanager
def running(discovery: DiscoveryThread) -> Iterator[DiscoveryThread]:
    """Start it; whatever happens, stop it, in time, and see that its thread is gone."""
    before = set(threading.enumerate())
    discovery.start()
    try:
        yield discovery
    finally:
        started = time.monotonic()
        assert discovery.stop(LIMIT_S)
        assert time.monotonic() - started < STOP_LIMIT_S
        left = set(threading.enumerate()) - before
        assert not [thread for thread in left if thread.name == "hybridisco"]


def settings(backend: MockBackend) -> Config:
    return config(services=(entry(backend.url, "comfyui", "Mine"),))


def test_it_finds_and_tells(backend: MockBackend) -> None:
    discovery, waiter = DiscoveryThread(settings(backend), sources=("manual",)), Waiter()
    discovery.subscribe(waiter)
    assert (discovery.running, discovery.revision, discovery.snapshot) == (False, 0, Snapshot())
    with running(discovery):
        waiter.until(online)
        assert discovery.running
        (service,) = discovery.snapshot
        assert (service.name, service.url) == ("Mine", backend.url)
        assert discovery.revision == discovery.snapshot.revision > 0
    assert discovery.error is None


def test_what_is_known_stays_readable_after_the_end(backend: MockBackend) -> None:
    discovery, waiter = DiscoveryThread(settings(backend), sources=("manual",)), Waiter()
    discovery.subscribe(waiter)
    with running(discovery):
        waiter.until(online)
    assert len(discovery.snapshot) == 1


def test_starting_costs_the_caller_next_to_nothing() -> None:
    discovery = DiscoveryThread(config(), sources=())
    started = time.monotonic()
    with running(discovery):
        assert time.monotonic() - started < 0.5


def test_stopping_before_it_is_ready() -> None:
    for _ in range(5):
        with running(DiscoveryThread(config(), sources=("probe", "manual"))):
            pass


def test_stopping_while_a_backend_hangs(backend: MockBackend) -> None:
    backend.set_fault("hang")
    discovery, waiter = DiscoveryThread(settings(backend), sources=("manual",)), Waiter()
    discovery.subscribe(waiter)
    with running(discovery):
        waiter.until(lambda snapshot: len(snapshot) == 1)


def test_starting_twice_is_an_error() -> None:
    with running(DiscoveryThread(config(), sources=())) as discovery, pytest.raises(DiscoveryError, match="already"):
        discovery.start()


def test_stopping_twice_or_before_the_start_is_none() -> None:
    discovery = DiscoveryThread(config(), sources=())
    assert discovery.stop()
    with running(discovery):
        pass
    assert discovery.stop()
    discovery.rescan()


def test_it_can_be_started_again(backend: MockBackend) -> None:
    discovery = DiscoveryThread(settings(backend), sources=("manual",))
    for _ in range(2):
        waiter = Waiter()
        stop_telling = discovery.subscribe(waiter)
        with running(discovery):
            waiter.until(online)
        stop_telling()


def test_reading_never_waits_for_the_thread() -> None:
    told, go_on = threading.Event(), threading.Event()

    def slow(events: tuple[Event, ...], snapshot: Snapshot) -> None:
        told.set()
        assert go_on.wait(LIMIT_S)

    discovery = DiscoveryThread(config(), sources=[FakeSource(script=[mdns("a", "127.0.0.1", port=1)])])
    discovery.subscribe(slow)
    with running(discovery):
        try:
            assert told.wait(LIMIT_S)
            started = time.monotonic()
            assert len(discovery.snapshot) == 1
            assert discovery.revision == 1
            assert time.monotonic() - started < 0.5
        finally:
            go_on.set()


def test_a_subscriber_that_fails_keeps_nothing_from_the_others() -> None:
    def broken(events: tuple[Event, ...], snapshot: Snapshot) -> None:
        raise RuntimeError("a panel fell over")

    discovery, waiter = (
        DiscoveryThread(config(), sources=[FakeSource(script=[mdns("a", "127.0.0.1", port=1)])]),
        Waiter(),
    )
    discovery.subscribe(broken)
    discovery.subscribe(waiter)
    with running(discovery):
        waiter.until(lambda snapshot: len(snapshot) == 1)
    assert discovery.error is None


def test_unsubscribing() -> None:
    source = FakeSource(script=[mdns("a", "127.0.0.1", port=1)])
    discovery, first, second = DiscoveryThread(config(), sources=[source]), Waiter(), Waiter()
    discovery.subscribe(first)()
    discovery.subscribe(second)
    with running(discovery):
        second.until(lambda snapshot: len(snapshot) == 1)
    assert first.snapshots == []


def test_a_subscriber_may_stop_it() -> None:
    discovery = DiscoveryThread(config(), sources=[FakeSource(script=[mdns("a", "127.0.0.1", port=1)])])
    stopped = threading.Event()

    def stop(events: tuple[Event, ...], snapshot: Snapshot) -> None:
        discovery.stop()
        stopped.set()

    discovery.subscribe(stop)
    with running(discovery):
        assert stopped.wait(LIMIT_S)


def test_rescan_looks_now(backend: MockBackend) -> None:
    discovery, waiter = DiscoveryThread(config(backend, rescan_s=3600), sources=("probe",)), Waiter()
    discovery.subscribe(waiter)
    with running(discovery):
        waiter.until(online)
        backend.set_fault("refuse")
        discovery.rescan()
        waiter.until(lambda snapshot: len(snapshot) == 0)


def test_it_tells_when_the_answer_is_complete(backend: MockBackend) -> None:
    discovery, waiter = DiscoveryThread(config(backend, rescan_s=3600), sources=("probe",)), Waiter()
    discovery.subscribe(waiter)
    assert not discovery.complete
    with running(discovery):
        wait_until(lambda: discovery.complete, LIMIT_S, "the first answer is complete")
        waiter.until(online)
        discovery.rescan()
        assert not discovery.complete, "from the call on"
        wait_until(lambda: discovery.complete, LIMIT_S, "and so is the second")
    assert len(discovery.snapshot) == 1


def test_manual_entries_can_be_changed_at_any_time(backend: MockBackend) -> None:
    wanted = entry(backend.url, "comfyui", "Mine")
    discovery, waiter = DiscoveryThread(config(), sources=("manual",)), Waiter()
    discovery.subscribe(waiter)
    discovery.set_services([entry("http://127.0.0.1:1", "comfyui")])  # before it runs
    with running(discovery):
        discovery.set_services([wanted])  # while it starts, or a moment later
        waiter.until(lambda snapshot: [s.name for s in snapshot] == ["Mine"] and online(snapshot))
        discovery.set_services([])
        wait_until(lambda: discovery.complete and not discovery.snapshot.services, LIMIT_S, "it is taken back")


def test_a_wrong_file_is_kept_as_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[discovery]\ntimeout_s = 'soon'\n")
    monkeypatch.setenv("HYBRIDISCO_CONFIG", str(file))
    discovery = DiscoveryThread(sources=())
    discovery.start()
    assert discovery._thread is not None
    discovery._thread.join(LIMIT_S)
    assert not discovery.running
    assert isinstance(discovery.error, ConfigError)
    assert "timeout_s" in str(discovery.error)
    file.write_text("")
    with running(discovery):
        assert discovery.error is None


def test_a_fault_of_our_own_ends_the_thread_and_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: object, now: float) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("hybridisco.registry.ServiceRegistry.tick", wrong)
    discovery = DiscoveryThread(config(), sources=())
    discovery.start()
    assert discovery._thread is not None
    discovery._thread.join(LIMIT_S)
    assert not discovery.running
    assert isinstance(discovery.error, ZeroDivisionError)


def test_a_new_key_is_accepted_and_believed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDISCO_STATE", str(tmp_path))
    KnownKeys(tmp_path / "known_keys").pin("box1", key(1), "Box 1", SINCE)
    said = mdns("a", "127.0.0.1", port=1, id="box1", name="Box 1", proof=Proof.SIGNED, signer=key(2))
    discovery, waiter = DiscoveryThread(config(), sources=[FakeSource(script=[said])]), Waiter()
    discovery.subscribe(waiter)
    with pytest.raises(DiscoveryError, match="not running"):
        discovery.accept_key("box1").result(LIMIT_S)
    with running(discovery):
        waiter.until(lambda snapshot: [one.status for one in snapshot] == [Status.UNTRUSTED])
        (service,) = discovery.snapshot
        (change,) = wait_until(lambda: discovery.key_changes(service.id), LIMIT_S, "the key is noted")
        assert (change.name, change.key, change.known) == ("Box 1", key(2), fingerprint(key(1)))
        with pytest.raises(UsageError):
            discovery.accept_key(service.id, key(3)).result(LIMIT_S)
        assert discovery.accept_key(service.id, change.key).result(LIMIT_S) is None
        assert [(one.id, one.trust) for one in discovery.snapshot] == [("box1", Trust.PINNED)]
        assert discovery.key_changes(service.id) == ()
