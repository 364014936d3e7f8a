"""Which endpoints are looked at, and when: as the registry asks for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybridisco.core.liveness import BACKOFF_LIMIT_S, CHECK_EVERY_S, OTHERS_EVERY_S, WATCHED_EVERY_S
from hybridisco.core.model import Announcement, Change, Check
from hybridisco.kinds import BUILTIN
from hybridisco.registry import ServiceRegistry
from tests.say import NOW, answer, at, down, gone, look, manual, mdns, online, say

BOX, OTHER = "10.0.0.2", "10.0.0.3"
FOUR = (BOX, "10.0.1.2", "fd00::2", "fe80::2%eth0")


@pytest.fixture
def registry() -> ServiceRegistry:
    return ServiceRegistry(BUILTIN)


def dials(checks: tuple[Check, ...]) -> list[str]:
    return [check.endpoint.dial for check in checks]


def looks_in(registry: ServiceRegistry, seconds: float, start: float = NOW, step_s: float = 0.5) -> list[str]:
    """Carry out what is due, as it is due, and find everything well; returns what was looked at."""
    made: list[str] = []
    for tick in range(int(seconds / step_s)):
        now = start + (tick + 1) * step_s
        due = registry.due(now)
        made += dials(due)
        answer(registry, due, online(), now)
    return made


def settled(registry: ServiceRegistry, *claims: Announcement) -> None:
    """Announce these, and find everything well."""
    for claim in claims:
        answer(registry, registry.apply(claim, NOW).checks, online())


class TestAtRest:
    @pytest.mark.parametrize("addresses", [1, 4])
    def test_one_look_each_four_seconds_whatever_the_number_of_addresses(
        self, registry: ServiceRegistry, addresses: int
    ) -> None:
        settled(registry, mdns("box", *FOUR[:addresses]))
        assert registry.due(NOW + CHECK_EVERY_S - 0.1) == ()
        assert dials(registry.due(NOW + CHECK_EVERY_S)) == [BOX]
        assert len(looks_in(registry, 120)) == 120 / CHECK_EVERY_S

    def test_each_five_where_its_announcer_is_watched(self, registry: ServiceRegistry) -> None:
        settled(registry, replace(mdns("box", *FOUR), watched=True))
        assert registry.due(NOW + WATCHED_EVERY_S - 0.1) == ()
        assert len(looks_in(registry, 120)) == 120 / WATCHED_EVERY_S

    def test_who_is_announced_twice_is_looked_at_once(self, registry: ServiceRegistry) -> None:
        settled(registry, mdns("one", BOX), mdns("two", BOX, OTHER), manual("u", OTHER, host="box"))
        assert len(looks_in(registry, 120)) == 120 / CHECK_EVERY_S

    def test_another_address_now_and_then_in_the_place_of_the_best(self, registry: ServiceRegistry) -> None:
        settled(registry, mdns("box", *FOUR))
        made = looks_in(registry, 10 * OTHERS_EVERY_S)
        for other in FOUR[1:]:
            assert 8 <= made.count(other) <= 10
        assert made.count(BOX) > 3 * made.count(FOUR[1])

    def test_the_best_one_is_what_answers(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", *FOUR[:2]), look(at(FOUR[0]), down("timeout")), look(at(FOUR[1]), online()))
        assert dials(registry.due(NOW + CHECK_EVERY_S)) == [FOUR[1]]

    def test_an_address_that_never_answered_does_not_bring_more_looks(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", *FOUR[:2]), look(at(FOUR[0]), online()), look(at(FOUR[1]), down("timeout")))
        assert len(registry.due(NOW + CHECK_EVERY_S)) == 1

    def test_one_that_is_slow_has_the_others_named_that_answer(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", *FOUR))
        for address, finding in zip(FOUR, (online(), online(), down(), online()), strict=True):
            registry.apply(look(at(address), finding), NOW)
        (check,) = registry.due(NOW + CHECK_EVERY_S)
        assert check.endpoint.dial == FOUR[0]
        assert [e.dial for e in check.others] == [FOUR[1], FOUR[3]]

    def test_two_services_of_one_box_are_two(self, registry: ServiceRegistry) -> None:
        settled(registry, mdns("one", BOX), mdns("other", BOX, port=8189))
        assert len(registry.due(NOW + CHECK_EVERY_S)) == 2


class TestFailing:
    def test_all_other_addresses_are_looked_at_at_once(self, registry: ServiceRegistry) -> None:
        settled(registry, mdns("box", *FOUR))
        change = registry.apply(look(at(BOX), down("timeout")), NOW + 4)
        assert sorted(dials(change.checks)) == sorted(FOUR[1:])
        assert len(change.doubts) == 1 and change.doubts[0].startswith("box.")

    def test_but_those_that_were_just_looked_at(self, registry: ServiceRegistry) -> None:
        settled(registry, mdns("box", *FOUR))
        registry.apply(look(at(FOUR[1]), online()), NOW + 3.5)
        change = registry.apply(look(at(BOX), down("timeout")), NOW + 4)
        assert sorted(dials(change.checks)) == sorted(FOUR[2:])

    def test_and_once_only(self, registry: ServiceRegistry) -> None:
        settled(registry, mdns("box", *FOUR))
        registry.apply(look(at(BOX), down("timeout")), NOW + 4)
        again = registry.apply(look(at(BOX), down("timeout")), NOW + 8)
        assert (again.checks, again.doubts) == ((), ())

    def test_what_was_written_down_is_nobodys_doubt(self, registry: ServiceRegistry) -> None:
        settled(registry, manual("u", BOX, host="box"))
        assert registry.apply(look(at(BOX), down("timeout")), NOW + 4).doubts == ()

    def test_where_none_answers_each_is_tried_for_itself(self, registry: ServiceRegistry) -> None:
        settled(registry, mdns("box", *FOUR[:2]))
        for address in FOUR[:2]:
            registry.apply(look(at(address), down("timeout")), NOW + 4)
        assert sorted(dials(registry.due(NOW + 4 + CHECK_EVERY_S))) == sorted(FOUR[:2])

    def test_ever_more_seldom(self, registry: ServiceRegistry) -> None:
        registry.apply(mdns("box", BOX), NOW)
        now, gaps = NOW, []
        for _ in range(9):
            registry.apply(look(at(BOX), down("timeout")), now)
            gap = next(gap for gap in range(1, 100) if registry.due(now + gap))
            gaps.append(float(gap))
            now += gap
        assert gaps[:3] == [CHECK_EVERY_S] * 3
        assert gaps == sorted(gaps) and gaps[-1] == BACKOFF_LIMIT_S

    def test_a_night_of_failures_is_survived(self, registry: ServiceRegistry) -> None:
        registry.apply(manual("u", BOX, host="box"), NOW)
        for turn in range(1_100):
            registry.apply(look(at(BOX), down("timeout")), NOW + 60 * turn)
        assert registry.due(NOW + 60 * 1_101)


class TestRecovery:
    def test_it_is_contagious(self, registry: ServiceRegistry) -> None:
        """A switch was restarted: the first that answers has all others looked at."""
        settled(registry, mdns("box", BOX), mdns("other", OTHER))
        for turn in range(12):
            for address in (BOX, OTHER):
                registry.apply(look(at(address), down("timeout")), NOW + 60 * turn)
        later = NOW + 60 * 11 + 10
        assert registry.due(later) == ()
        registry.apply(look(at(BOX), online()), later)
        assert dials(registry.due(later)) == [OTHER]
        registry.apply(look(at(OTHER), down("timeout")), later + 1)
        assert OTHER not in dials(registry.due(later + 30)), "one look each"

    def test_who_answers_for_the_first_time_infects_nobody(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("dead", OTHER))
        for turn in range(12):
            registry.apply(look(at(OTHER), down("timeout")), NOW + 60 * turn)
        later = NOW + 60 * 11 + 10
        say(registry, mdns("new", BOX), look(at(BOX), online()), now=later)
        assert dials(registry.due(later)) == []


class TestKnown:
    """What answered before, or was written down, goes before what just anybody claims."""

    def known(self, change: Change | tuple[Check, ...]) -> list[bool]:
        return [check.known for check in (change.checks if isinstance(change, Change) else change)]

    def test_who_comes_for_the_first_time_is_not(self, registry: ServiceRegistry) -> None:
        assert self.known(registry.apply(mdns("box", BOX), NOW)) == [False]
        assert self.known(registry.due(NOW)) == [False]

    def test_who_has_never_answered_is_not_either(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX), look(at(BOX), down("timeout")))
        assert self.known(registry.due(NOW + 60)) == [False]
        assert self.known(registry.apply(mdns("box", BOX, version="2"), NOW + 61)) == [False]

    def test_who_has_answered_is(self, registry: ServiceRegistry) -> None:
        settled(registry, mdns("box", BOX))
        assert self.known(registry.due(NOW + CHECK_EVERY_S)) == [True]
        registry.apply(look(at(BOX), down("timeout")), NOW + 4)
        assert self.known(registry.due(NOW + 60)) == [True]
        assert self.known(registry.apply(mdns("box", BOX, version="2"), NOW + 61)) == [True]

    def test_what_the_user_wrote_down_is(self, registry: ServiceRegistry) -> None:
        assert self.known(registry.apply(manual("u", BOX, host="box"), NOW)) == [True]
        assert self.known(registry.due(NOW)) == [True]

    def test_after_the_network_is_back_it_is_as_before(self, registry: ServiceRegistry) -> None:
        claims = [mdns("box", BOX), mdns("stranger", OTHER)]
        say(registry, *[replace(c, endpoints=(replace(c.endpoints[0], interface="eth0"),)) for c in claims])
        registry.apply(look(at(BOX, interface="eth0"), online()), NOW)
        registry.set_network((), NOW + 1, lost={"eth0"})
        back = registry.set_network((), NOW + 60).checks
        assert {check.endpoint.address: check.known for check in back} == {BOX: True, OTHER: False}


class TestCutOff:
    ETH0, ETH1 = at(BOX, interface="eth0"), at("10.0.1.2", interface="eth1")

    @pytest.fixture
    def claim(self, registry: ServiceRegistry) -> Announcement:
        claim = replace(mdns("box", BOX), endpoints=(self.ETH0, self.ETH1))
        settled(registry, claim)
        return claim

    def test_nothing_is_looked_at_that_is_out_of_reach(self, registry: ServiceRegistry, claim: Announcement) -> None:
        registry.set_network((), NOW + 1, lost={"eth0"})
        assert dials(registry.due(NOW + 1000)) == ["10.0.1.2"]
        registry.set_network((), NOW + 1, lost={"eth0", "eth1"}, offline=True)
        assert registry.due(NOW + 1000) == ()

    def test_all_of_it_at_once_when_the_interface_is_back(self, registry: ServiceRegistry, claim: Announcement) -> None:
        registry.set_network((), NOW + 1, lost={"eth0"})
        assert dials(registry.set_network((), NOW + 2).checks) == [BOX]
        registry.set_network((), NOW + 3, lost={"eth0", "eth1"})
        assert sorted(dials(registry.set_network((), NOW + 4).checks)) == [BOX, "10.0.1.2"]

    def test_not_what_was_taken_back_meanwhile(self, registry: ServiceRegistry, claim: Announcement) -> None:
        registry.set_network((), NOW + 1, lost={"eth0"})
        registry.apply(gone(claim), NOW + 2)
        assert registry.set_network((), NOW + 3).checks == ()

    def test_what_runs_here_is_looked_at_without_a_network(self, registry: ServiceRegistry) -> None:
        registry.set_network({"10.0.0.1"}, NOW)
        settled(registry, mdns("mine", "10.0.0.1"))
        registry.set_network({"10.0.0.1"}, NOW + 1, offline=True)
        assert dials(registry.due(NOW + CHECK_EVERY_S)) == ["10.0.0.1"]
