"""What is remembered: looked at at once, shown only when it is there, and never in its owner's name by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_interface
from pathlib import Path

import pytest

from hybridisco.checks import Checks
from hybridisco.core.model import (
    Announcement,
    Endpoint,
    Event,
    EventType,
    Finding,
    Service,
    SourceName,
    Status,
    Trust,
    Withdrawal,
)
from hybridisco.core.trust import FIRST_USE, OFF, PINNED_ONLY
from hybridisco.core.txt import LIVE_GREETING
from hybridisco.kinds import BUILTIN
from hybridisco.memory.entry import Entry
from hybridisco.memory.store import Memory
from hybridisco.recall import Doors, Recall
from hybridisco.registry import ServiceRegistry
from hybridisco.sources.interfaces import Interface
from tests.memory.samples import entry
from tests.say import down, gone, look, mdns, online, signed

STUDIO = (Interface("eth0", 2, (ip_interface("10.0.0.9/24"), ip_interface("fe80::9/64"))),)
HOME = (Interface("wlan0", 3, (ip_interface("192.168.1.9/24"),)),)
LIMIT_S = 5.0


class Desk(Doors):
    """A registry, its checks and what it remembers; of the network there are the endpoints that answer.

    :param answers: what is found at an address; who is not in it takes no connection.
    """

    def __init__(self, file: Path, answers: dict[str, Finding], *, mode: str = FIRST_USE) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.knocked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.silent = asyncio.Event()
        self.registry = ServiceRegistry(BUILTIN, mode)
        self.registry.set_local({"10.0.0.9"}, time.time())
        self.events: list[Event] = []
        self.changed = asyncio.Event()
        self.registry.subscribe(self._note)
        self.checks = Checks(self._checker, self.emit)
        self.memory = Memory(file)
        self.ended_sidecars: set[tuple[str, int]] = set()
        self.recall = Recall(self.registry, self.checks, self.emit, self.memory, self)

    def emit(self, datum: Announcement | Withdrawal) -> None:
        if isinstance(datum, Withdrawal) and (said := self.registry.said(datum.key)) is not None:
            self.recall.note_taken_back(said)
        for check in self.registry.apply(datum, time.time()).checks:
            self.checks.look(check)

    async def check(self, endpoint: Endpoint, kind: str | None) -> Announcement:
        self.asked.append(endpoint.address)
        await self.gate.wait()
        return look(endpoint, self.answers.get(endpoint.address, down()))

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait until the registry is as ``wanted``."""
        async with asyncio.timeout(LIMIT_S):
            while not wanted():
                self.changed.clear()
                await self.changed.wait()

    async def turns(self, wanted: Callable[[], bool]) -> None:
        """Let everything else go on until ``wanted``, also where nobody tells that something has changed."""
        async with asyncio.timeout(LIMIT_S):
            while not wanted():  # noqa: ASYNC110 - whatever happens here takes turns of the loop, and no time
                await asyncio.sleep(0)

    async def all_looked_at(self) -> None:
        """Wait until everybody who takes connections was asked, and has answered."""
        there = [address in self.answers for each in self.memory.load() for address in [each.endpoints[0].address]]
        await self.turns(lambda: len(self.asked) == sum(there))
        await self.checks.done()

    async def settle(self) -> None:
        """All sources have settled, and who takes no connection was heard of."""
        await self.recall.settle()
        await self.turns(lambda: not self.recall.waiting())

    @property
    def services(self) -> dict[str, Service]:
        return {service.id: service for service in self.registry.snapshot()}

    @property
    def told(self) -> list[tuple[EventType, str]]:
        return [(event.type, event.service.id) for event in self.events]

    def _note(self, events: tuple[Event, ...], _: object) -> None:
        self.events += events
        self.changed.set()

    async def ended(self, address: str, port: int) -> bool:
        """As :class:`hybridisco.recall.Doors`."""
        return (address, port) in self.ended_sidecars

    async def _checker(self) -> Desk:
        return self

    async def takes(self, endpoint: Endpoint) -> bool:
        """As :class:`hybridisco.recall.Doors`."""
        self.knocked.append(endpoint.address)
        if endpoint.address not in self.answers:
            await self.silent.wait()  # off: nobody says no
        return endpoint.address in self.answers


@asynccontextmanager
async def desk(
    file: Path,
    remembered: Iterable[Entry],
    answers: dict[str, Finding],
    *,
    every: tuple[Interface, ...] = STUDIO,
    pins: dict[str, str] | None = None,
    mode: str = FIRST_USE,
    ended: int | None = None,
) -> AsyncIterator[Desk]:
    """A start with some memories."""
    now = int(time.time())
    Memory(file).update([replace(each, since=now, seen_at=now) for each in remembered], (), now)
    found = Desk(file, answers, mode=mode)
    found.registry.set_pins(pins or {}, now)
    found.ended_sidecars = {(address, ended) for address in answers if ended is not None}
    found.recall.begin(every)
    yield found
    await found.recall.close()
    await found.checks.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "last_known.json"


def state_of(file: Path) -> tuple[int, int] | None:
    """What changes when somebody writes."""
    return (file.stat().st_ino, file.stat().st_mtime_ns) if file.exists() else None


BOX = entry("X", "10.0.0.1")
SAID = mdns("Box", "10.0.0.1", id="X", host="gpu-box.local")


async def test_what_answers_is_there_before_its_source_says_so(file: Path) -> None:
    async with desk(file, [BOX], {"10.0.0.1": online()}) as at:
        await at.until(lambda: "X" in at.services)
    service = at.services["X"]
    assert (service.status, service.verified, service.name) == (Status.ONLINE, True, "ComfyUI")
    assert service.sources == (SourceName.MDNS, SourceName.PROBE)
    assert service.trust is Trust.UNSIGNED


async def test_until_it_has_answered_it_is_not_there(file: Path) -> None:
    async with desk(file, [BOX], {"10.0.0.1": online()}) as at:
        at.gate.clear()
        await at.turns(lambda: len(at.asked) == 1)
        assert at.services == {}
        at.gate.set()
        await at.until(lambda: "X" in at.services)


async def test_all_are_knocked_at_and_many_asked_at_once(file: Path) -> None:
    boxes = [entry(f"X{n}", f"10.0.0.{n}") for n in range(20, 80)]
    async with desk(file, boxes, {each.endpoints[0].address: online() for each in boxes}) as at:
        at.gate.clear()
        await at.turns(lambda: len(at.knocked) == len(boxes) and len(at.asked) >= 24)
        assert len(at.asked) == 24, "what is announced meanwhile is looked at too, though all of these may hang"
        at.gate.set()
        await at.until(lambda: len(at.services) == len(boxes))


async def test_what_is_off_delays_nothing_and_leaves_no_trace(file: Path) -> None:
    async with desk(file, [BOX, entry("Y", "10.0.0.2")], {"10.0.0.2": online()}) as at:
        await at.all_looked_at()
        async with asyncio.timeout(LIMIT_S):
            await at.recall.settle()
            await at.checks.done(at.recall.waiting)
        assert set(at.services) == {"Y"}
        assert at.asked == ["10.0.0.2"], "nothing is asked that takes no connection"
        assert at.registry.due(time.time() + 3600)[0].endpoint.address == "10.0.0.2"
    assert at.told == [(EventType.ADDED, "Y")]


async def test_what_refuses_is_gone_when_the_sources_have_settled(file: Path) -> None:
    async with desk(file, [BOX], {}) as at:
        at.silent.set()
        await at.settle()
        assert not at.registry.holds(BOX.announcement().key)
    assert at.told == []


async def test_who_takes_connections_is_waited_for(file: Path) -> None:
    async with desk(file, [BOX], {"10.0.0.1": online()}) as at:
        at.gate.clear()
        await at.turns(lambda: len(at.asked) == 1)
        settling = asyncio.create_task(at.recall.settle())
        await asyncio.sleep(0)
        assert not settling.done()
        at.gate.set()
        await settling
        assert "X" in at.services


@pytest.mark.parametrize("found", [online("wan2gp"), online(None), Finding(Status.STARTING), Finding(Status.LOCKED)])
async def test_what_answers_as_something_else_is_not_it(file: Path, found: Finding) -> None:
    async with desk(file, [BOX], {"10.0.0.1": found}) as at:
        await at.all_looked_at()
        await at.recall.settle()
        assert not at.registry.holds(BOX.announcement().key)
    assert at.told == []


async def test_its_source_speaks_of_it_and_nothing_flickers(file: Path) -> None:
    async with desk(file, [BOX], {"10.0.0.1": online()}) as at:
        await at.until(lambda: "X" in at.services)
        at.emit(SAID)
        await at.checks.done()
        service = at.services["X"]
        assert service.sources == (SourceName.MDNS, SourceName.PROBE)
        assert service.status is Status.ONLINE
        assert [kind for kind, _ in at.told if kind is not EventType.UPDATED] == [EventType.ADDED]
        at.emit(gone(SAID))
        assert at.services == {}, "what has said goodbye is not remembered back"


async def test_its_source_was_faster(file: Path) -> None:
    async with desk(file, [BOX], {"10.0.0.1": online()}) as at:
        at.emit(SAID)
        await at.recall.settle()
        await at.checks.done()
        assert not at.registry.holds(BOX.announcement().key)
        assert at.services["X"].status is Status.ONLINE


async def test_it_has_moved(file: Path) -> None:
    async with desk(file, [BOX], {"10.0.0.1": online(), "10.0.0.5": online()}) as at:
        await at.until(lambda: "X" in at.services)
        at.emit(mdns("Box", "10.0.0.5", id="X"))
        await at.checks.done()
        (service,) = at.services.values()
        assert [endpoint.address for endpoint in service.endpoints] == ["10.0.0.5"]
        assert at.registry.snapshot().warnings == ()


async def test_it_lives_as_long_as_it_answers(file: Path) -> None:
    async with desk(file, [BOX], {"10.0.0.1": online()}) as at:
        await at.until(lambda: "X" in at.services)
        await at.recall.settle()
        (check,) = at.registry.due(time.time() + 4)
        now = time.time() + 4
        at.registry.apply(look(check.endpoint, down("timeout")), now)
        assert at.services["X"].status is Status.STALE
        for later in (3, 6, 9.5):
            at.registry.apply(look(check.endpoint, down("timeout")), now + later)
        at.registry.tick(now + 10)
        assert at.services == {}
        at.registry.apply(look(check.endpoint, online()), now + 60)
        assert at.services["X"].status is Status.ONLINE


async def test_another_program_took_its_place_later(file: Path) -> None:
    async with desk(file, [BOX], {"10.0.0.1": online()}) as at:
        await at.until(lambda: "X" in at.services)
        await at.recall.settle()
        at.registry.apply(look(BOX.endpoints[0], online("wan2gp")), time.time())
        assert at.services == {}


class TestOwners:
    """A key is known for the id, or it was signed: at its address there may be somebody else today."""

    @pytest.mark.parametrize(
        ("remembered", "pins"),
        [(BOX, {"X": "ours"}), (replace(BOX, key="ours"), {}), (replace(BOX, key="o"), {"X": "o"})],
    )
    async def test_a_stranger_is_never_shown_in_its_name(
        self, file: Path, remembered: Entry, pins: dict[str, str]
    ) -> None:
        async with desk(file, [remembered], {"10.0.0.1": online()}, pins=pins) as at:
            await at.all_looked_at()
            assert at.services == {}
            await at.recall.settle()
            (service,) = at.services.values()
        assert service.id == "comfyui@10.0.0.1:8188"
        assert service.name == "ComfyUI on 10.0.0.1"
        assert (service.status, service.trust, service.sources) == (
            Status.ONLINE,
            Trust.UNSIGNED,
            (SourceName.MDNS, SourceName.PROBE),
        )

    async def test_with_its_word_it_is_there_at_once(self, file: Path) -> None:
        async with desk(file, [replace(BOX, key="ours")], {"10.0.0.1": online()}, pins={"X": "ours"}) as at:
            await at.all_looked_at()
            change = at.registry.apply(signed(SAID, "ours"), time.time())
            assert change.checks == (), "it has been looked at already"
            assert (at.services["X"].status, at.services["X"].trust) == (Status.ONLINE, Trust.PINNED)
        assert at.told == [(EventType.ADDED, "X")]

    async def test_a_word_that_comes_late(self, file: Path) -> None:
        async with desk(file, [replace(BOX, key="ours")], {"10.0.0.1": online()}, pins={"X": "ours"}) as at:
            await at.all_looked_at()
            await at.recall.settle()
            at.emit(signed(SAID, "ours"))
            assert [(s.id, s.trust) for s in at.services.values()] == [("X", Trust.PINNED)]

    async def test_the_owner_is_elsewhere_and_the_stranger_is_no_part_of_it(self, file: Path) -> None:
        answers = {"10.0.0.1": online(), "10.0.0.5": online()}
        async with desk(file, [BOX], answers, pins={"X": "ours"}) as at:
            await at.all_looked_at()
            at.emit(signed(mdns("Box", "10.0.0.5", id="X"), "ours"))
            await at.checks.done()
            await at.recall.settle()
            (service,) = at.services.values()
        assert (service.id, service.url, len(service.endpoints)) == ("X", "http://10.0.0.5:8188", 1)

    async def test_where_only_known_keys_count_nothing_unproven_is_there(self, file: Path) -> None:
        async with desk(file, [BOX], {"10.0.0.1": online()}, mode=PINNED_ONLY) as at:
            await at.all_looked_at()
            await at.recall.settle()
            assert not at.registry.holds(BOX.announcement().key)
        assert at.told == []

    async def test_who_wants_no_keys_has_its_name_at_once(self, file: Path) -> None:
        async with desk(file, [replace(BOX, key="ours")], {"10.0.0.1": online()}, mode=OFF) as at:
            await at.until(lambda: "X" in at.services)


class TestSidecars:
    async def test_what_was_taken_back_is_not_shown_though_it_answers(self, file: Path) -> None:
        async with desk(file, [replace(BOX, live=5000)], {"10.0.0.1": online()}, ended=5000) as at:
            await at.turns(lambda: len(at.knocked) == 1)
            await at.settle()
        assert (at.told, at.asked) == ([], [])

    async def test_while_its_sidecar_is_there_it_is_shown(self, file: Path) -> None:
        async with desk(file, [replace(BOX, live=5000)], {"10.0.0.1": online()}) as at:
            await at.until(lambda: "X" in at.services)

    async def test_the_sidecar_says_who_is_there(self) -> None:
        async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(LIVE_GREETING)

        async def chatter(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 welcome to somewhere else entirely")

        ended = []
        for who in (greet, chatter):
            async with await asyncio.start_server(who, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                ended.append(await Doors().ended("127.0.0.1", port))
        assert ended == [False, True]
        assert await Doors().ended("127.0.0.1", port), "nobody is there any more"

    @pytest.mark.parametrize(("live", "kept"), [(None, []), (5000, ["X"])])
    async def test_a_goodbye_forgets_what_cannot_be_asked(self, file: Path, live: int | None, kept: list[str]) -> None:
        async with desk(file, [], {"10.0.0.1": online()}) as at:
            said = replace(SAID, live=live)
            at.emit(said)
            await at.checks.done()
            await at.recall.save()
            assert [each.ref for each in Memory(file).load()] == ["X"]
            at.emit(gone(said))
        assert [each.ref for each in Memory(file).load()] == kept


class TestPlaces:
    async def test_in_another_network_nobody_is_asked(self, file: Path) -> None:
        async with desk(file, [BOX], {"10.0.0.1": online()}, every=HOME) as at:
            await at.recall.settle()
        assert at.knocked == []
        assert [each.missed for each in Memory(file).load()] == [0]

    async def test_an_address_that_is_ours_now(self, file: Path) -> None:
        async with desk(file, [entry("X", "10.0.0.9")], {"10.0.0.9": online()}) as at:
            await at.recall.settle()
        assert at.knocked == []

    async def test_another_interface_leads_there_now(self, file: Path) -> None:
        docked = (replace(STUDIO[0], name="usb0"),)
        there = replace(BOX, endpoints=(replace(BOX.endpoints[0], interface="eth0"),))
        async with desk(file, [there], {"10.0.0.1": online()}, every=docked) as at:
            await at.until(lambda: "X" in at.services)
        assert at.services["X"].endpoints[0].interface == "usb0"

    async def test_link_local_addresses_need_their_interface(self, file: Path) -> None:
        boxes = [entry("X", "fe80::1%eth0"), entry("Y", "fe80::2%gone0")]
        async with desk(file, boxes, {"fe80::1": online(), "fe80::2": online()}) as at:
            await at.until(lambda: "X" in at.services)
        assert at.knocked == ["fe80::1"]


class TestKeeping:
    async def test_what_is_announced_and_answers_is_known_at_the_next_start(self, file: Path) -> None:
        async with desk(file, [], {"10.0.0.1": online()}) as at:
            at.emit(SAID)
            await at.checks.done()
        (kept,) = Memory(file).load()
        assert (kept.id, kept.endpoints[0].address, kept.host) == ("X", "10.0.0.1", "gpu-box.local")

    async def test_what_just_anybody_claims_is_not_kept(self, file: Path) -> None:
        async with desk(file, [], {"10.0.0.1": online("wan2gp")}) as at:
            for number in range(1, 200):
                at.emit(mdns(f"fake-{number}", f"10.0.0.{number}"))
            await at.checks.done()
        assert state_of(file) is None

    async def test_what_was_missed_is_kept_for_some_days(self, file: Path) -> None:
        async with desk(file, [BOX], {}) as at:
            at.silent.set()
            await at.settle()
        assert [each.ref for each in Memory(file).load()] == ["X"]

    async def test_a_search_that_was_broken_off_misses_nothing(self, file: Path) -> None:
        async with desk(file, [BOX], {}):
            pass
        assert [(each.ref, each.missed) for each in Memory(file).load()] == [("X", 0)]

    async def test_a_studio_that_is_as_it_was_is_not_written_again(self, file: Path) -> None:
        async with desk(file, [BOX], {"10.0.0.1": online()}) as at:
            before = state_of(file)
            await at.until(lambda: "X" in at.services)
            await at.recall.settle()
        assert state_of(file) == before

    async def test_before_it_began_nothing_is_written(self, file: Path) -> None:
        at = Desk(file, {})
        at.emit(SAID)
        await at.recall.close()
        await at.checks.close()
        assert state_of(file) is None


async def test_who_is_off_is_missed_by_a_search_that_is_over_before_the_connect_is(file: Path) -> None:
    old = int(time.time()) - 3 * 86400
    async with desk(file, [], {}) as at:
        at.memory.update([replace(BOX, since=old, seen_at=old)], (), time.time())
        at.recall.begin(STUDIO)
        await at.turns(lambda: at.knocked == ["10.0.0.1"])
        await at.recall.settle()
    (kept,) = Memory(file).load()
    assert kept.missed == 1


async def test_who_was_seen_last_is_knocked_at_first(file: Path) -> None:
    """So many may be off that their connects take all the turns until the search is over."""
    now = int(time.time())
    remembered = [replace(entry(f"A{n}", f"10.0.0.{n}"), since=1, seen_at=now - 9 * 86400) for n in range(20, 220)]
    async with desk(file, [], {"10.0.0.7": online()}) as at:
        at.memory.update([*remembered, replace(entry("Z", "10.0.0.7"), since=now, seen_at=now)], (), now)
        at.recall.begin(STUDIO)
        await at.until(lambda: "Z" in at.services)
