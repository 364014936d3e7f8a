"""Discovery from end to end on this machine: real sockets, mock backends, no mDNS."""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

import pytest

from hybridisco.clock import SteadyClock
from hybridisco.config import Config
from hybridisco.core import target
from hybridisco.core.errors import DiscoveryError, UsageError
from hybridisco.core.model import Announcement, Event, EventType, Service, Snapshot, SourceName, Status, Trust
from hybridisco.core.trust import OFF, PINNED_ONLY
from hybridisco.manager import ServiceDiscoveryManager
from hybridisco.sources.interfaces import Interface
from hybridisco.testing import MockBackend
from hybridisco.trust.store import Known, KnownKeys
from tests.fakes import FakeSource
from tests.say import gone, mdns, online, scan, signed
from tests.settings import config, entry
from tests.trust.keys import key

LOCAL = ("probe", "manual")
LIMIT_S = 10.0  # for what takes a fraction of a second on a machine that does nothing else


@asynccontextmanager
async def discovery(settings: Config, *sources: Any) -> AsyncIterator[ServiceDiscoveryManager]:
    """A manager that must leave nothing behind: no task, and no socket that only the garbage collector closes."""
    gc.collect()  # what the test before left is not ours
    before = asyncio.all_tasks()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        async with asyncio.timeout(30), ServiceDiscoveryManager(settings, sources=sources or LOCAL) as manager:
            yield manager
        gc.collect()
    assert [task for task in asyncio.all_tasks() - before if not is_of_a_mock(task)] == []
    assert [str(each.message) for each in caught if issubclass(each.category, ResourceWarning)] == []


def is_of_a_mock(task: asyncio.Task[Any]) -> bool:
    """Whether a task serves a connection of a mock backend: those are aiohttp's, and end on their own."""
    return task.get_coro().cr_code.co_filename.endswith("web_protocol.py")


def at_port(snapshot: Snapshot, port: int) -> Service:
    """The one service at a port: others may run on this machine."""
    (service,) = (s for s in snapshot if s.endpoints[0].port == port)
    return service


def source_states(snapshot: Snapshot) -> dict[str, str]:
    return {name.value: state.state for name, state in snapshot.sources}


class TestDiscoverAll:
    async def test_finds_what_runs_here_and_what_was_written_down(self) -> None:
        async with MockBackend("comfyui") as comfyui, MockBackend("litellm") as litellm, MockBackend("rvc") as rvc:
            settings = config(comfyui, rvc, services=(entry(litellm.url, "litellm", "The proxy"),))
            async with discovery(settings) as manager:
                snapshot = await manager.discover_all_services(LIMIT_S)
        assert snapshot.complete and 0 < snapshot.elapsed_s < LIMIT_S
        found = {mock.kind: at_port(snapshot, mock.port) for mock in (comfyui, litellm, rvc)}
        assert {kind: service.kind for kind, service in found.items()} == {k: k for k in ("comfyui", "litellm", "rvc")}
        assert all(service.status is Status.ONLINE and service.verified for service in found.values())
        assert found["litellm"].name == "The proxy"
        assert SourceName.MANUAL in found["litellm"].sources
        assert source_states(snapshot) == {"mdns": "off", "probe": "ok", "manual": "ok"}
        assert litellm.paid_calls == 0

    async def test_what_was_written_down_and_does_not_run_is_there_with_a_reason(self, unused_tcp_port: int) -> None:
        settings = config(services=(entry(f"http://localhost:{unused_tcp_port}", "comfyui"),))
        async with discovery(settings, "manual") as manager:
            snapshot = await manager.discover_all_services(LIMIT_S)
        (service,) = snapshot
        assert snapshot.complete
        assert service.status is Status.UNREACHABLE
        assert "connection refused" in (service.problem or "")

    async def test_another_program_than_was_written_down(self) -> None:
        async with MockBackend("litellm") as mock:
            settings = config(services=(entry(mock.url, "comfyui"),))
            async with discovery(settings, "manual") as manager:
                (service,) = await manager.discover_all_services(LIMIT_S)
        assert (service.kind, service.status) == ("comfyui", Status.MISMATCH)

    async def test_the_answer_comes_at_the_timeout_at_the_latest(self) -> None:
        async with MockBackend("comfyui", fault="hang") as mock:
            settings = config(services=(entry(mock.url, "comfyui"),))
            async with discovery(settings, "manual") as manager:
                started = time.monotonic()
                snapshot = await manager.discover_all_services(0.3)
                assert time.monotonic() - started < 1.5
        assert not snapshot.complete
        assert at_port(snapshot, mock.port).status is Status.STALE

    async def test_the_timeout_is_that_of_the_config(self) -> None:
        async with discovery(config(timeout_s=0.2), FakeSource(settles=False)) as manager:
            started = time.monotonic()
            assert not (await manager.discover_all_services()).complete
            assert 0.2 <= time.monotonic() - started < 1.5

    async def test_it_ends_as_soon_as_what_is_wanted_is_there(self) -> None:
        source = FakeSource(script=[mdns("a", "127.0.0.1", port=1)], settles=False)
        async with discovery(config(), source) as manager:
            snapshot = await manager.discover_all_services(LIMIT_S, until=lambda snapshot: len(snapshot) > 0)
        assert len(snapshot) == 1 and snapshot.elapsed_s < LIMIT_S / 2

    async def test_asking_again_starts_nothing_again(self) -> None:
        source = FakeSource()
        async with discovery(config(), source) as manager:
            first = await manager.discover_all_services(LIMIT_S)
            second = await manager.discover_all_services(LIMIT_S)
        assert (first.complete, second.complete, source.runs) == (True, True, 1)

    async def test_each_source_runs_once_however_often_it_is_named(self) -> None:
        source = FakeSource()
        async with discovery(config(), source, source) as manager:
            await manager.discover_all_services(LIMIT_S)
        assert source.runs == 1

    def test_a_source_that_does_not_exist(self) -> None:
        with pytest.raises(UsageError, match=r"'mdsn'.* mdns, probe, manual"):
            ServiceDiscoveryManager(config(), sources=["mdsn"])

    async def test_it_may_be_started_again(self) -> None:
        source = FakeSource()
        manager = ServiceDiscoveryManager(config(), sources=[source])
        for _ in range(2):
            assert (await manager.discover_all_services(LIMIT_S)).complete
            await manager.close()
        assert source.runs == 2


class TestDiscoverOne:
    async def test_returns_as_soon_as_it_is_found(self) -> None:
        async with (
            MockBackend("comfyui") as comfyui,
            MockBackend("wan2gp", fault="hang") as stuck,
            discovery(config(comfyui, stuck)) as manager,
        ):
            started = time.monotonic()
            service = await manager.discover_service("comfyui", LIMIT_S)
            assert time.monotonic() - started < 1.9  # the stuck one takes 2 s to give up
        assert service is not None
        assert service.url == comfyui.url

    async def test_none_at_the_timeout(self) -> None:
        async with MockBackend("comfyui") as mock, discovery(config(mock)) as manager:
            started = time.monotonic()
            assert await manager.discover_service("audioldm", 0.4) is None
            assert 0.4 <= time.monotonic() - started < 2

    async def test_one_that_cannot_be_used_is_none(self) -> None:
        async with MockBackend("litellm", fault="locked") as mock:
            settings = config(services=(entry(mock.url, "litellm"),))
            async with discovery(settings, "manual") as manager:
                assert await manager.discover_service("litellm", 0.5) is None
                assert at_port(manager.snapshot, mock.port).status is Status.LOCKED

    async def test_an_idle_one_before_a_busy_one(self) -> None:
        async with (
            MockBackend("comfyui", fault="busy") as busy,
            MockBackend("comfyui") as idle,
            discovery(config(busy, idle)) as manager,
        ):
            await manager.discover_all_services(LIMIT_S)
            service = await manager.discover_service("comfyui", LIMIT_S)
        assert service is not None and service.url == idle.url


class TestFollowing:
    async def test_events_tell_what_comes_and_goes(self) -> None:
        source = FakeSource()
        claim = mdns("box", "127.0.0.1", port=1)
        async with discovery(config(), source) as manager:
            told: list[Event] = []
            enough = asyncio.Event()

            async def listen() -> None:
                async for event in manager.events():
                    told.append(event)
                    if event.type is EventType.REMOVED:
                        enough.set()

            listening = asyncio.create_task(listen())
            await manager.discover_all_services(LIMIT_S)
            source.say(claim)
            source.say(gone(claim))
            await asyncio.wait_for(enough.wait(), LIMIT_S)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        assert [event.type.value for event in told] == ["added", "removed"]

    async def test_asking_for_events_is_enough_to_start(self) -> None:
        async with discovery(config(), FakeSource(script=[mdns("box", "127.0.0.1", port=1)])) as manager:
            stream = manager.events()
            event = await asyncio.wait_for(anext(stream), LIMIT_S)
            await stream.aclose()
        assert (event.type, event.service.name) == (EventType.ADDED, "box")

    async def test_a_backend_that_stops_and_returns(self) -> None:
        async with MockBackend("comfyui") as mock, discovery(config(mock)) as manager:
            running = asyncio.create_task(manager.run())

            async def until(status: Status | None) -> None:
                def reached(snapshot: Snapshot) -> bool:
                    return [s.status for s in snapshot if s.endpoints[0].port == mock.port] == (
                        [status] if status else []
                    )

                await manager.discover_all_services(LIMIT_S, until=reached)
                assert reached(manager.snapshot)

            await until(Status.ONLINE)
            mock.set_fault("refuse")
            await until(None)
            mock.set_fault(None)
            await until(Status.ONLINE)
            assert not running.done()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def test_rescan_looks_now(self) -> None:
        async with MockBackend("comfyui") as mock, discovery(config(mock, rescan_s=3600)) as manager:
            await manager.discover_all_services(LIMIT_S)
            asked = len(mock.requests)
            manager.rescan()
            await mock.wait_for_request(count=asked + 1, timeout_s=LIMIT_S)

    async def test_a_rescan_is_complete_when_all_has_answered(self) -> None:
        async with MockBackend("comfyui") as mock, discovery(config(mock, rescan_s=3600)) as manager:
            await manager.discover_all_services(LIMIT_S)
            mock.set_fault("refuse")
            manager.rescan()
            assert not manager.snapshot.complete
            snapshot = await manager.discover_all_services(LIMIT_S)
            assert snapshot.complete and not [s for s in snapshot if s.endpoints[0].port == mock.port]

    async def test_a_rescan_looks_at_what_is_looked_at_seldom(self, unused_tcp_port: int) -> None:
        settings = config(services=(entry(f"http://127.0.0.1:{unused_tcp_port}", "comfyui"),))
        async with discovery(settings, "manual") as manager:
            await manager.discover_all_services(LIMIT_S)
            for _ in range(4):  # each failure makes the next look later, up to a minute
                manager.rescan()
                await manager.discover_all_services(LIMIT_S)
            async with MockBackend("comfyui", port=unused_tcp_port):
                manager.rescan()
                (service,) = await manager.discover_all_services(LIMIT_S)
                assert service.status is Status.ONLINE

    async def test_before_the_start_a_rescan_is_nothing(self) -> None:
        async with discovery(config()) as manager:
            manager.rescan()
            assert manager.snapshot.elapsed_s >= 0 and not manager.snapshot.services

    async def test_a_rescan_tries_a_source_again_that_had_given_up(self) -> None:
        """Somebody has read what was wrong, mended it, and pressed Discover."""
        source = FakeSource(trouble="The port is taken. Stop the other program.")
        async with discovery(config(), source) as manager:
            with pytest.raises(DiscoveryError):
                await manager.discover_all_services(LIMIT_S)
            source.mend()
            manager.rescan()
            snapshot = await manager.discover_all_services(LIMIT_S)
        assert source_states(snapshot)["mdns"] == "ok" and source.runs == 2

    async def test_a_rescan_does_not_wait_for_the_pause_after_a_fall(self) -> None:
        source = FakeSource(error=RuntimeError("no multicast here"), falls=1)
        async with discovery(config(), source) as manager:
            with pytest.raises(DiscoveryError):
                await manager.discover_all_services(LIMIT_S)
            manager.rescan()
            snapshot = await manager.discover_all_services(LIMIT_S)
        assert source_states(snapshot)["mdns"] == "ok" and source.runs == 2


class TestManualEntries:
    async def test_others_take_their_place_and_are_checked_at_once(self) -> None:
        async with MockBackend("comfyui") as old, MockBackend("litellm") as new:
            settings = config(services=(entry(old.url, "comfyui"),))
            async with discovery(settings, "manual") as manager:
                await manager.discover_all_services(LIMIT_S)
                manager.set_services([entry(new.url, "litellm", "The proxy")])
                assert not manager.snapshot.complete
                (service,) = await manager.discover_all_services(LIMIT_S)
        assert (service.name, service.status) == ("The proxy", Status.ONLINE)

    async def test_before_the_start_they_count_from_the_start_on(self) -> None:
        async with MockBackend("comfyui") as mock, discovery(config(), "manual") as manager:
            manager.set_services([entry(mock.url, "comfyui")])
            (service,) = await manager.discover_all_services(LIMIT_S)
            assert service.status is Status.ONLINE


class TestTrouble:
    async def test_a_source_that_falls_over_does_not_stop_the_others(self) -> None:
        async with MockBackend("comfyui") as mock:
            broken = FakeSource(error=RuntimeError("no multicast here"))
            async with discovery(config(mock), broken, "probe") as manager:
                snapshot = await manager.discover_all_services(LIMIT_S)
        assert at_port(snapshot, mock.port).status is Status.ONLINE
        assert snapshot.complete
        assert source_states(snapshot) == {"mdns": "error", "probe": "ok", "manual": "off"}
        assert "no multicast here" in (dict(snapshot.sources)[SourceName.MDNS].detail or "")

    async def test_a_source_that_fell_over_is_started_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("hybridisco.manager._RESTART_S", 0.01)
        wrapped = ExceptionGroup("unhandled errors in a TaskGroup", [RuntimeError("no multicast here")])
        source = FakeSource(error=wrapped, falls=2)
        async with discovery(config(), source, FakeSource(SourceName.PROBE)) as manager:
            before = await manager.discover_all_services(LIMIT_S)
            await asyncio.wait_for(source.settled(), LIMIT_S)
            after = manager.snapshot
        assert dict(before.sources)[SourceName.MDNS].detail == "mdns: no multicast here."
        assert (source.runs, source_states(after)["mdns"]) == (3, "ok")

    async def test_when_none_can_run_it_says_why(self) -> None:
        sources = [
            FakeSource(error=RuntimeError("first reason")),
            FakeSource(SourceName.PROBE, trouble="second reason."),
        ]
        async with discovery(config(), *sources) as manager:
            with pytest.raises(DiscoveryError, match=r"could not run.*first reason.*second reason"):
                await manager.discover_all_services(LIMIT_S)

    async def test_a_source_with_trouble_that_found_something_did_run(self) -> None:
        source = FakeSource(script=[mdns("a", "127.0.0.1", port=1)], trouble="one host has no address")
        async with discovery(config(), source) as manager:
            snapshot = await manager.discover_all_services(LIMIT_S)
        assert (len(snapshot), source_states(snapshot)["mdns"]) == (1, "error")

    async def test_closing_in_the_middle_leaves_nothing(self) -> None:
        async with MockBackend("comfyui", fault="hang") as mock, discovery(config(mock)) as manager:
            manager.start()
            await mock.wait_for_request(timeout_s=LIMIT_S)

    async def test_closing_what_never_ran(self) -> None:
        async with discovery(config()) as manager:
            await manager.close()


class TestCheck:
    async def test_one_address(self) -> None:
        async with MockBackend("comfyui") as mock, discovery(config(), "probe") as manager:
            snapshot = await manager.check(target.parse(mock.url))
        (service,) = snapshot
        assert (service.kind, service.status, service.url) == ("comfyui", Status.ONLINE, mock.url)
        assert snapshot.complete

    async def test_nothing_there(self, unused_tcp_port: int) -> None:
        async with discovery(config(), "probe") as manager:
            (service,) = await manager.check(target.parse(f"localhost:{unused_tcp_port}"), "comfyui")
        assert (service.kind, service.status) == ("comfyui", Status.UNREACHABLE)

    async def test_before_a_search_it_does_not_take_its_place(self) -> None:
        async with (
            MockBackend("comfyui") as one,
            MockBackend("rvc") as other,
            discovery(config(other), "probe") as manager,
        ):
            await manager.check(target.parse(one.url))
            snapshot = await manager.discover_all_services(LIMIT_S)
        assert at_port(snapshot, other.port).kind == "rvc"

    async def test_while_everything_is_being_followed(self) -> None:
        source = FakeSource(SourceName.MANUAL, settles=False)
        async with MockBackend("comfyui") as mock, discovery(config(), source) as manager:
            manager.start()
            snapshot = await manager.check(target.parse(mock.url))
        assert at_port(snapshot, mock.port).status is Status.ONLINE
        assert not snapshot.complete  # the search itself goes on


async def until(manager: ServiceDiscoveryManager, wanted: Callable[[Snapshot], bool]) -> Snapshot:
    """Wait until a snapshot is as wanted."""
    await manager.discover_all_services(LIMIT_S, until=wanted)
    snapshot = manager.snapshot
    assert wanted(snapshot), snapshot
    return snapshot


def written(folder: Path) -> list[Path]:
    """What is in a folder."""
    return list(folder.iterdir())


def statuses(snapshot: Snapshot) -> dict[str, Status]:
    return {service.name: service.status for service in snapshot}


class TestNetwork:
    """This machine has one card, with a box behind it."""

    ETH0 = Interface("eth0", 2, (ip_interface("10.9.9.1/24"),))

    async def test_a_cable_that_is_pulled_and_put_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        plugged = {"eth0"}
        monkeypatch.setattr("hybridisco.upkeep.interfaces", lambda: (self.ETH0,))
        monkeypatch.setattr("hybridisco.upkeep.carries_traffic", lambda name: name in plugged)
        found = scan("10.9.9.2", online(), host="box")
        source = FakeSource(
            SourceName.PROBE, [replace(found, endpoints=(replace(found.endpoints[0], interface="eth0"),))]
        )
        async with discovery(config(), source) as manager:
            await until(manager, lambda now: [s.status for s in now] == [Status.ONLINE])
            plugged.clear()
            (service,) = await until(manager, lambda now: [s.status for s in now] == [Status.STALE])
            assert "This machine has lost its network" in (service.problem or "")
            plugged.add("eth0")
            await until(manager, lambda now: [s.status for s in now] == [Status.ONLINE])

    async def test_after_a_sleep_everything_is_looked_at(
        self, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
    ) -> None:
        slept_s = [0.0]
        clock = SteadyClock(lambda: (time.time() + slept_s[0], time.monotonic()))
        monkeypatch.setattr("hybridisco.upkeep.SteadyClock", lambda: clock)
        settings = config(services=(entry(f"http://127.0.0.1:{unused_tcp_port}", "comfyui", "Mine"),))
        async with discovery(settings, "manual") as manager:
            await manager.discover_all_services(LIMIT_S)
            for _ in range(4):  # from now on it would be looked at in 16 s again
                manager.rescan()
                await manager.discover_all_services(LIMIT_S)
            async with MockBackend("comfyui", port=unused_tcp_port):
                slept_s[0] = 3_600.0
                woke = time.monotonic()
                await until(manager, lambda now: statuses(now) == {"Mine": Status.ONLINE})
                assert time.monotonic() - woke < 5.0
                (service,) = manager.snapshot
                assert service.last_seen == pytest.approx(time.time() + 3_600.0, abs=LIMIT_S)


class TestKeys:
    ID = "x" * 26

    @pytest.fixture(autouse=True)
    def state(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        monkeypatch.setenv("HYBRIDISCO_STATE", str(tmp_path))
        return tmp_path

    def claim(self, mock: MockBackend, number: int, name: str = "box") -> Announcement:
        return signed(mdns(name, "127.0.0.1", port=mock.port, id=self.ID), key(number))

    async def test_a_key_is_written_at_first_sight_and_another_is_not_believed_later(self, state: Path) -> None:
        async with MockBackend("comfyui") as mock:
            async with discovery(config(), FakeSource(script=[self.claim(mock, 1)])) as manager:
                await until(manager, lambda now: [s.trust for s in now] == [Trust.PINNED])
            assert self.ID in (state / "known_keys").read_text() and key(1) in (state / "known_keys").read_text()
            async with discovery(config(), FakeSource(script=[self.claim(mock, 2)])) as manager:
                (service,) = await until(manager, lambda now: [s.status for s in now] == [Status.UNTRUSTED])
                assert "WARNING" in (service.problem or "")
            assert key(2) not in (state / "known_keys").read_text()

    async def test_what_is_in_the_file_counts_from_the_start(self, state: Path) -> None:
        KnownKeys(state / "known_keys").pin_all([Known(self.ID, key(1), time.time(), "box")])
        async with (
            MockBackend("comfyui") as mock,
            discovery(config(), FakeSource(script=[self.claim(mock, 2)])) as manager,
        ):
            (service,) = await manager.discover_all_services(LIMIT_S)
        assert service.status is Status.UNTRUSTED

    async def test_a_key_that_another_program_accepts_counts_at_once(self, state: Path) -> None:
        async with (
            MockBackend("comfyui") as mock,
            discovery(config(trust_mode=PINNED_ONLY), FakeSource(script=[self.claim(mock, 1)])) as manager,
        ):
            await until(manager, lambda now: [s.status for s in now] == [Status.UNTRUSTED])
            KnownKeys(state / "known_keys").pin_all([Known(self.ID, key(1), time.time(), "box")])
            await until(manager, lambda now: [s.status for s in now] == [Status.ONLINE])

    async def test_where_keys_are_off_nothing_is_written(self, state: Path) -> None:
        async with (
            MockBackend("comfyui") as mock,
            discovery(config(trust_mode=OFF), FakeSource(script=[self.claim(mock, 1)])) as manager,
        ):
            (service,) = await until(manager, lambda now: [s.status for s in now] == [Status.ONLINE])
        assert service.trust is Trust.UNCHECKED
        assert written(state) == []
