"""A network that misbehaves: meanwhile the list tells the truth as far as it can, and soon afterwards altogether.

Two boxes run backends, and one or more desks watch. While a cable is bad, one service ends and another begins; in
the end exactly what runs is online. The faults are made by :mod:`tests.lab.badwire`. Each test prints what it saw when.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from tests.e2e.app import Json, Watch, announced
from tests.e2e.backends import Backend, Backends
from tests.lab.badwire import BadWire, Direction, bad_wire
from tests.lab.interface import Interface
from tests.lab.net import Host, Lab
from tests.lab.process import Process
from tests.lab.wait import wait_until

pytestmark = [pytest.mark.netns, pytest.mark.timeout(150)]

SLACK_S = 1.0  # for a machine with two cores that runs other tests too

# The design's times.
GOODBYE_LIMIT_S = 1.5 + SLACK_S  # a second (RFC 6762 section 10.1), and the way
STALE_LIMIT_S = 5.0 + 2 * SLACK_S  # from the fault to the failure of the next look
GONE_LIMIT_S = 15.0 + 2 * SLACK_S
NEW_LIMIT_S = 2.0 + 2 * SLACK_S  # from the announcement to online

# What lateness adds: an announcement may have to be asked for once (two trips), and a look is a handshake, a question
# and an answer (four). Packets keep their order, so that a trip may wait for the one before.
LATE_S = 0.2
LATE_LIMIT_S = 6 * 2 * LATE_S

# From the end of a fault to the success of a look. Something silent is looked at every 4 s; after the third failure in
# a row, which comes after 12 to 15 s, the pause is 8 s. The faults here last less than the 24 s that lead to a longer
# one. The look before may be under way, and takes a second to fail.
BACK_LIMIT_S = 8.0 + 1.0 + 2 * SLACK_S

# The same for what answered until just now: a pause of 4 s.
AGAIN_LIMIT_S = 4.0 + 1.0 + 2 * SLACK_S

LONG_S = 20.0  # what is wrongly taken for dead has left the list by then: stale within 5 s, gone within 15 s
FLAP_S = 0.7  # a change of the network is noticed and answered within 0.3 s, so that each flap is seen
FLAPS = 5
AFTERWARDS_S = 5.0  # one look at everything, and the last packet that was late


def next_question_s(age_s: float) -> float:
    """How long a watcher of this age may take to ask again: it asks after 1, 2, 4 … s (RFC 6762 section 5.2).

    A sidecar that was started while nothing came through has said so to nobody, so that only a question finds it.
    """
    return 1.04 * (age_s + 1.0) + NEW_LIMIT_S


def pause(seconds: float) -> None:
    """Let time pass: that the fault lasts so long is the point."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, max(seconds, 0.0) + SLACK_S, "the fault has lasted")


@dataclass(slots=True)
class Running:
    """A backend and its sidecar."""

    backend: Backend
    sidecar: Process


class Desk:
    """A machine that watches, and what it sees."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.watch = Watch(host)
        self._began = time.monotonic()

    @property
    def card(self) -> Interface:
        return self.host.interfaces[0]

    @property
    def age_s(self) -> float:
        """How long it has been watching."""
        return time.monotonic() - self._began

    def until(self, wanted: Callable[[dict[str, str]], bool], limit_s: float, what: str) -> None:
        """Wait until the status of each kind is as wanted."""
        self.watch.until(lambda now: wanted(statuses(now)), limit_s, f"at {self.host.name}: {what}")

    def until_online(self, kinds: Collection[str], limit_s: float) -> None:
        """Wait until these are online, whatever else there is."""
        self.until(lambda now: {now.get(kind) for kind in kinds} == {"online"}, limit_s, f"{kinds} are online")

    def until_true(self, truth: Collection[str], limit_s: float) -> None:
        """Wait until exactly these are there, all online."""
        wanted = dict.fromkeys(truth, "online")
        self.until(lambda now: now == wanted, limit_s, f"exactly {sorted(truth)} are online")

    def until_without(self, kinds: Collection[str], limit_s: float) -> None:
        """Wait until none of these is in the list."""
        self.until(lambda now: not now.keys() & set(kinds), limit_s, f"{kinds} are gone")

    def until_doubted(self, kinds: Collection[str], limit_s: float) -> None:
        """Wait until none of these is called online."""
        self.until(lambda now: all(now.get(kind, "stale") == "stale" for kind in kinds), limit_s, f"{kinds} are stale")

    def told(self, kind: str, since: int = 0) -> list[str]:
        """What it has told of a kind, from its n-th event on."""
        events = [(event, service) for event, service in self.watch.events[since:] if service["kind"] == kind]
        return [event if event == "removed" else service["status"] for event, service in events]


def statuses(services: list[Json]) -> dict[str, str]:
    """The status of each kind. No two services here are of one kind; two entries for one would be a lie."""
    found: dict[str, str] = {}
    for one in services:
        found[one["kind"]] = one["status"] if one["kind"] not in found else "twice"
    return found


class Place:
    """Two boxes and their watchers. At first ``comfyui`` and ``litellm`` run on one box, and ``rvc`` on the other."""

    def __init__(self, lab: Lab, backends: Backends, desks: Collection[str]) -> None:
        lan = lab.lan("10.77.0.0/24", "fd77::/64")
        self.one, self.two, *watchers = [lab.host(name) for name in ("one", "two", *desks)]
        for host in (self.one, self.two, *watchers):
            lan.join(host)
        self._backends = backends
        self.running: dict[str, Running] = {}
        self.desks = [Desk(host) for host in watchers]
        self.start("comfyui", 8188, self.one)
        self.start("litellm", 4000, self.one)
        self.start("rvc", 7865, self.two)
        for desk in self.desks:
            desk.watch.until_online(3)

    def start(self, kind: str, port: int, host: Host) -> None:
        """Start a backend and its sidecar, and wait until that has announced it."""
        backend = self._backends(host, kind, port)
        self.running[kind] = Running(backend, announced(host, kind, port))

    def end(self, kind: str, *, goodbye: bool) -> None:
        """Both end, with a goodbye or as in a crash."""
        ended = self.running.pop(kind)
        if goodbye:
            ended.sidecar.stop()
        else:
            ended.sidecar.kill()
        ended.backend.stop()

    @contextmanager
    def stays_true(self) -> Iterator[None]:
        """After the block nothing comes or goes any more: no late packet brings back what was taken away."""
        yield
        seen = [len(desk.watch.events) for desk in self.desks]
        pause(AFTERWARDS_S)
        for desk, before in zip(self.desks, seen, strict=True):
            later = [(event, service["kind"], service["status"]) for event, service in desk.watch.events[before:]]
            # That another address of a service answers is told too, and a look that began during the fault may fail.
            assert all(event == "updated" and status in ("online", "stale") for event, _, status in later), later
            desk.until_true(self.running, AGAIN_LIMIT_S)
        assert all("Traceback" not in one.sidecar.log for one in self.running.values())


@pytest.fixture
def places(lab: Lab, backends: Backends) -> Callable[..., Place]:
    """Makes the place, with desks of these names."""
    return lambda *desks: Place(lab, backends, desks)


def test_what_comes_late_twice_or_out_of_order_does_no_harm(places: Callable[..., Place]) -> None:
    """No packet is lost, so changes are seen as on any other network. Three desks have a fault each."""
    faults = {"late": {"jitter_s": LATE_S}, "twice": {"duplicate": 0.5}, "disorder": {"reorder": 0.3}}
    place = places(*faults)
    before = [len(desk.watch.events) for desk in place.desks]
    with ExitStack() as stack:
        wires = [stack.enter_context(bad_wire(desk.card)) for desk in place.desks]
        stack.enter_context(place.stays_true())
        for desk, wire in zip(place.desks, wires, strict=True):
            wire.set(**faults[desk.host.name])
        ends_at = time.monotonic() + LONG_S
        place.end("litellm", goodbye=True)
        _saw("goodbye", place.desks, GOODBYE_LIMIT_S + LATE_S, lambda desk, s: desk.until_without({"litellm"}, s))
        place.start("wan2gp", 7860, place.two)
        _saw("new", place.desks, NEW_LIMIT_S + LATE_LIMIT_S, lambda desk, s: desk.until_true(place.running, s))
        pause(ends_at - time.monotonic())
        for desk, wire, since in zip(place.desks, wires, before, strict=True):
            told = {kind: desk.told(kind, since) for kind in place.running}
            print(desk.host.name, told, wire.counts)
            assert not [kind for kind, events in told.items() if "removed" in events], (desk.host.name, told)
            wire.heal()
        _saw("healed", place.desks, AGAIN_LIMIT_S, lambda desk, s: desk.until_true(place.running, s))


def test_a_third_of_the_packets_is_lost(places: Callable[..., Place]) -> None:
    """A poor Wi-Fi: 30 % each way, so that half of all round trips fail. What runs may be doubted, but not removed."""
    place = places("desk")
    (desk,) = place.desks
    place.start("audioldm", 7863, place.two)
    desk.until_true(place.running, NEW_LIMIT_S)
    before = len(desk.watch.events)
    with bad_wire(desk.card, loss=0.3) as wire, place.stays_true():
        ends_at = time.monotonic() + LONG_S
        place.end("litellm", goodbye=True)
        place.end("audioldm", goodbye=False)
        place.start("wan2gp", 7860, place.two)
        _saw("dead", [desk], GONE_LIMIT_S, lambda desk, s: desk.until_without({"litellm", "audioldm"}, s))
        pause(ends_at - time.monotonic())
        told = {kind: desk.told(kind, before) for kind in place.running}
        print(told, wire.counts)
        wire.heal()
        _saw("healed, known", [desk], AGAIN_LIMIT_S, lambda desk, s: desk.until_online({"comfyui", "rvc"}, s))
        _saw("healed", [desk], next_question_s(place.desks[0].age_s), lambda desk, s: desk.until_true(place.running, s))
    assert not [kind for kind, events in told.items() if "removed" in events], told


def test_what_cannot_be_talked_to_goes_and_comes_back(places: Callable[..., Place]) -> None:
    """A partition, and one direction alone: what is only heard, or only hears, is of no use to anybody.

    Every cable is in, and stays so: a switch on the way has failed.
    """
    cut: dict[str, Direction] = {"apart": "both", "deaf": "in", "dumb": "out"}
    place = places(*cut)
    with ExitStack() as stack:
        wires = [stack.enter_context(bad_wire(desk.card)) for desk in place.desks]
        stack.enter_context(place.stays_true())
        for desk, wire in zip(place.desks, wires, strict=True):
            wire.cut(cut[desk.host.name])
        _change_while_lost(place, wires, {"comfyui", "litellm", "rvc"})


def test_a_box_that_is_cut_off_goes_and_comes_back(places: Callable[..., Place]) -> None:
    place = places("desk")
    (desk,) = place.desks
    before = len(desk.watch.events)
    with bad_wire(place.one.interfaces[0]) as wire, place.stays_true():
        wire.cut()
        _change_while_lost(place, [wire], {"comfyui", "litellm"})
    assert set(desk.told("rvc", before)) <= {"online"}, "the other box is not touched by it"


def _change_while_lost(place: Place, wires: list[BadWire], lost: set[str]) -> None:
    """From the moment the wires are cut until after they are healed: one service dies meanwhile, another begins."""
    cut_at = time.monotonic()

    def left_s(limit_s: float) -> float:
        return limit_s - (time.monotonic() - cut_at)

    place.end("litellm", goodbye=False)
    _saw("stale", place.desks, left_s(STALE_LIMIT_S), lambda desk, s: desk.until_doubted(lost, s))
    place.start("wan2gp", 7860, place.one)  # and it has repeated that in vain (RFC 6762 section 8.3) when all are gone
    _saw("gone", place.desks, left_s(GONE_LIMIT_S), lambda desk, s: desk.until_without(lost, s))
    print(f"cut for {time.monotonic() - cut_at:.2f} s; {[wire.counts for wire in wires]}")
    assert not [desk for desk in place.desks if statuses(desk.watch.services).get("wan2gp") == "online"]
    for wire in wires:
        wire.heal()
    _saw("healed, known", place.desks, BACK_LIMIT_S, lambda desk, s: desk.until_online({"comfyui", "rvc"}, s))
    _saw(
        "healed", place.desks, next_question_s(place.desks[0].age_s), lambda desk, s: desk.until_true(place.running, s)
    )


@pytest.mark.parametrize("how", ["cable", "interface"])
@pytest.mark.parametrize("where", ["desk", "box"])
def test_a_link_that_flaps(places: Callable[..., Place], where: str, how: str) -> None:
    """A loose plug. What runs may be doubted, but is not removed: it is never away for long."""
    place = places("desk")
    (desk,) = place.desks
    card = desk.card if where == "desk" else place.one.interfaces[0]
    off, on = (card.unplug, card.plug) if how == "cable" else (card.down, card.up)
    before = len(desk.watch.events)
    with place.stays_true():
        for number in range(FLAPS):
            off()
            pause(FLAP_S)
            if number == FLAPS // 2:
                place.end("litellm", goodbye=True)  # which nobody hears
                place.start("wan2gp", 7860, place.two)
            on()
            pause(FLAP_S)
        _saw("known", [desk], AGAIN_LIMIT_S, lambda desk, s: desk.until_online({"comfyui", "rvc", "wan2gp"}, s))
        _saw("all", [desk], GONE_LIMIT_S, lambda desk, s: desk.until_true(place.running, s))
    told = {kind: desk.told(kind, before) for kind in place.running}
    print(told)
    assert not [kind for kind, events in told.items() if "removed" in events], told
    if where == "box":
        assert set(told["rvc"]) <= {"online"}, "the other box is not touched by it"


def _saw(what: str, desks: list[Desk], limit_s: float, wait: Callable[[Desk, float], None]) -> None:
    """Wait for the same at all desks, with one limit for all, and print when each had it."""
    began = time.monotonic()
    took: list[str] = []
    for desk in desks:
        wait(desk, limit_s - (time.monotonic() - began))
        took.append(f"{desk.host.name} {time.monotonic() - began:.2f} s")
    print(f"{what}:", ", ".join(took))
