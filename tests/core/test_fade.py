"""What a user sees as time passes, as our own network goes and comes, and when a sidecar ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybridisco.core import problems
from hybridisco.core.liveness import CHECK_EVERY_S, GONE_AFTER_S, HANGS_FOR_S
from hybridisco.core.model import Announcement, Change, SourceName, Status
from hybridisco.kinds import BUILTIN
from hybridisco.registry import ServiceRegistry
from tests.say import NOW, answer, at, down, gone, look, manual, mdns, online, only, orphaned, say, scan

LAN = "10.0.0.1"  # this machine's own address
BOX, OTHER = "10.0.0.2", "10.0.0.3"
OTHER_WAY = "10.0.1.2"  # the same box by another network
ETH0, ETH1 = at(BOX, interface="eth0"), at(OTHER_WAY, interface="eth1")


def by_eth0(name: str, *addresses: str) -> Announcement:
    """A claim of a box that is reached by eth0, and by eth1 if it has another address."""
    return replace(mdns(name, *addresses), endpoints=(ETH0, ETH1)[: len(addresses)])


@pytest.fixture
def registry() -> ServiceRegistry:
    registry = ServiceRegistry(BUILTIN)
    registry.set_local({LAN, "fe80::1%eth0", "127.0.0.1", "::1"}, NOW)
    return registry


class TestTime:
    def test_a_goodbye_removes_although_it_answered_a_moment_ago(self, registry: ServiceRegistry) -> None:
        claim = mdns("box", BOX)
        say(registry, claim, look(at(BOX), online()))
        (event,) = registry.apply(gone(claim), NOW).events
        assert (event.type, len(registry.snapshot())) == ("removed", 0)

    def test_a_goodbye_leaves_what_was_also_found_by_the_scan(self, registry: ServiceRegistry) -> None:
        claim = mdns("mine", LAN, id="ID")
        say(registry, claim, scan("127.0.0.1", online()))
        registry.apply(gone(claim), NOW)
        assert (only(registry).id, only(registry).sources) == ("comfyui@localhost:8188", (SourceName.PROBE,))

    def test_a_closed_port_leaves_what_the_user_wrote_down(self, registry: ServiceRegistry) -> None:
        found = scan("127.0.0.1", online())
        say(registry, found, manual("http://localhost:8188", "127.0.0.1", host="localhost", kind="comfyui"))
        registry.apply(gone(found), NOW)
        assert only(registry).sources == (SourceName.MANUAL,)

    def test_silence_makes_it_stale_then_gone(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX), look(at(BOX), online()))
        say(registry, look(at(BOX), down("timeout")), now=NOW + 5)
        assert (only(registry).status, only(registry).last_seen) == (Status.STALE, NOW)
        registry.tick(NOW + 5 + GONE_AFTER_S - 0.1)
        assert only(registry).status is Status.STALE
        registry.tick(NOW + 5 + GONE_AFTER_S)
        assert len(registry.snapshot()) == 0

    def test_more_failures_do_not_prolong_it(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX), look(at(BOX), online()))
        for later in (5, 8, 11, 14):
            say(registry, look(at(BOX), down("timeout")), now=NOW + later)
        assert len(registry.snapshot()) == 0

    def test_what_was_gone_is_there_again_when_it_answers(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX, id="ID"), look(at(BOX), online()))
        say(registry, look(at(BOX), down("timeout")), now=NOW + 5)
        registry.tick(NOW + 60)
        (event,) = registry.apply(look(at(BOX), online()), NOW + 61).events
        assert (event.type, event.service.id, event.service.status) == ("added", "ID", Status.ONLINE)

    def test_what_the_user_wrote_down_is_always_shown(self, registry: ServiceRegistry) -> None:
        say(registry, manual("http://box:8188", BOX, host="box", kind="comfyui"), look(at(BOX), online()))
        say(registry, look(at(BOX), down("timeout")), now=NOW + 5)
        assert only(registry).status is Status.STALE
        registry.tick(NOW + 1_000_000)
        service = only(registry)
        assert service.status is Status.UNREACHABLE
        assert "does not answer" in (service.problem or "")

    def test_a_name_that_is_not_known_is_shown_with_what_to_do(self, registry: ServiceRegistry) -> None:
        say(registry, manual("http://gpu-bx:8188", host="gpu-bx", kind="comfyui"))
        (check,) = registry.due(NOW)
        say(registry, look(check.endpoint, down("unresolved")))
        service = only(registry)
        assert (service.status, service.url) == (Status.UNREACHABLE, "http://gpu-bx:8188")
        assert "The name gpu-bx is not known" in (service.problem or "")

    def test_the_check_of_a_claim_that_never_came_is_forgotten(self, registry: ServiceRegistry) -> None:
        say(registry, look(at(BOX), online()))
        registry.tick(NOW + 61)
        say(registry, mdns("box", BOX), now=NOW + 61)
        assert only(registry).status is Status.STALE

    def test_a_dead_box_is_stale_in_5_s_and_gone_in_15(self, registry: ServiceRegistry) -> None:
        """As it happens at the worst: it dies just after a look; a look takes 1 s to fail."""
        say(registry, mdns("box", BOX), look(at(BOX), online()))
        due = NOW + CHECK_EVERY_S
        assert registry.due(due)
        answer(registry, registry.due(due), down("timeout"), due + 1.0)
        assert due + 1.0 <= NOW + 5.0
        assert only(registry).status is Status.STALE
        registry.tick(due + 1.0 + GONE_AFTER_S)
        assert due + 1.0 + GONE_AFTER_S <= NOW + 15.0
        assert len(registry.snapshot()) == 0

    def test_what_hangs_keeps_its_place_and_says_so(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX), look(at(BOX), online()))
        say(registry, look(at(BOX), down("silent")), now=NOW + 5)
        registry.tick(NOW + 5 + HANGS_FOR_S - 1)
        assert (only(registry).status, only(registry).problem) == (Status.STALE, problems.HANGS)
        registry.tick(NOW + 5 + HANGS_FOR_S)
        assert len(registry.snapshot()) == 0

    def test_one_silent_machine_is_not_taken_for_a_silent_network(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX), mdns("other", OTHER), look(at(BOX), online()), look(at(OTHER), online()))
        say(registry, look(at(BOX), down("timeout")), now=NOW + 4)
        registry.tick(NOW + 4.5)
        (silent,) = (s for s in registry.snapshot() if s.status is Status.STALE)
        assert silent.problem == problems.NETWORK_SILENT

    def test_where_all_machines_fall_silent_it_is_probably_ours(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX), mdns("other", OTHER), look(at(BOX), online()), look(at(OTHER), online()))
        say(registry, look(at(BOX), down("timeout")), look(at(OTHER), down("timeout")), now=NOW + 4)
        registry.tick(NOW + 4.5)
        assert [s.problem for s in registry.snapshot()] == [problems.NETWORK_DOUBTED] * 2
        say(registry, look(at(OTHER), online()), now=NOW + 5)
        registry.tick(NOW + 5.5)
        (silent,) = (s for s in registry.snapshot() if s.status is Status.STALE)
        assert silent.problem == problems.NETWORK_SILENT, "the other one answers: it is not us"


class TestOurOwnNetwork:
    """What is reached by an interface that carries nothing is neither dead nor alive to us."""

    def lose(self, registry: ServiceRegistry, *names: str, now: float) -> Change:
        return registry.set_network({LAN}, now, lost=names, offline="all" in names)

    def test_it_is_stale_at_once_and_stays_so(self, registry: ServiceRegistry) -> None:
        say(registry, by_eth0("box", BOX), look(ETH0, online()))
        self.lose(registry, "eth0", now=NOW + 1)
        service = only(registry)
        assert (service.status, service.verified, service.problem) == (Status.STALE, False, problems.NETWORK_LOST)
        assert "has lost its network" in problems.NETWORK_LOST
        registry.tick(NOW + 1_000_000)
        assert only(registry).status is Status.STALE

    def test_a_failure_meanwhile_says_nothing(self, registry: ServiceRegistry) -> None:
        say(registry, by_eth0("box", BOX), look(ETH0, online()))
        self.lose(registry, "eth0", now=NOW + 1)
        say(registry, look(ETH0, down("unroutable")), orphaned(by_eth0("box", BOX)), now=NOW + 2)
        registry.tick(NOW + 1000)
        self.lose(registry, now=NOW + 1000)
        assert only(registry).status is Status.ONLINE, "as it was, until a look says more"

    def test_its_silence_counts_from_the_return(self, registry: ServiceRegistry) -> None:
        say(registry, by_eth0("box", BOX), look(ETH0, online()))
        say(registry, look(ETH0, down("timeout")), now=NOW + 4)
        self.lose(registry, "eth0", now=NOW + 5)
        registry.tick(NOW + 500)
        assert only(registry).problem == problems.NETWORK_LOST
        self.lose(registry, now=NOW + 1000)
        registry.tick(NOW + 1000 + GONE_AFTER_S - 0.1)
        assert (only(registry).status, only(registry).problem) == (Status.STALE, problems.NETWORK_SILENT)
        registry.tick(NOW + 1000 + GONE_AFTER_S)
        assert len(registry.snapshot()) == 0

    @pytest.mark.parametrize("ticks", [True, False])
    def test_what_was_gone_before_does_not_come_back_by_it(self, registry: ServiceRegistry, ticks: bool) -> None:
        say(registry, by_eth0("box", BOX), look(ETH0, online()))
        say(registry, look(ETH0, down("timeout")), now=NOW + 4)
        if ticks:
            registry.tick(NOW + 4 + GONE_AFTER_S)
        self.lose(registry, "eth0", now=NOW + 4 + GONE_AFTER_S)
        assert len(registry.snapshot()) == 0
        self.lose(registry, now=NOW + 60)
        assert len(registry.snapshot()) == 0

    def test_what_was_not_looked_at_yet_waits_too(self, registry: ServiceRegistry) -> None:
        claim = by_eth0("box", BOX)
        say(registry, claim, orphaned(claim))
        self.lose(registry, "eth0", now=NOW + 1)
        registry.tick(NOW + 1000)
        assert (only(registry).status, only(registry).problem) == (Status.STALE, problems.NETWORK_LOST)

    def test_another_way_to_it_is_enough(self, registry: ServiceRegistry) -> None:
        say(registry, by_eth0("box", BOX, OTHER_WAY), look(ETH0, online()), look(ETH1, online()))
        self.lose(registry, "eth0", now=NOW + 1)
        service = only(registry)
        assert (service.status, service.url) == (Status.ONLINE, "http://10.0.1.2:8188")
        self.lose(registry, "eth0", "eth1", now=NOW + 2)
        assert only(registry).status is Status.STALE

    def test_when_it_dies_by_the_other_way_it_is_not_online_by_the_lost_one(self, registry: ServiceRegistry) -> None:
        say(registry, by_eth0("box", BOX, OTHER_WAY), look(ETH0, online()), look(ETH1, online()))
        self.lose(registry, "eth0", now=NOW + 1)
        say(registry, look(ETH1, down("timeout")), now=NOW + 5)
        for later in (5, 100, 1000):
            registry.tick(NOW + later)
            assert (only(registry).status, only(registry).problem) == (Status.STALE, problems.NETWORK_LOST)

    def test_what_runs_here_needs_no_network(self, registry: ServiceRegistry) -> None:
        say(registry, scan("127.0.0.1", online()), mdns("mine", LAN))
        say(registry, look(at(LAN), online()))
        self.lose(registry, "all", now=NOW + 1)
        assert only(registry).status is Status.ONLINE

    def test_what_is_reached_nobody_knows_how_is_lost_when_there_is_no_network_at_all(
        self, registry: ServiceRegistry
    ) -> None:
        say(registry, manual("http://box:8188", BOX, host="box", kind="comfyui"), look(at(BOX), online()))
        self.lose(registry, "eth0", now=NOW + 1)
        assert only(registry).status is Status.ONLINE
        self.lose(registry, "all", now=NOW + 2)
        assert (only(registry).status, only(registry).problem) == (Status.STALE, problems.NETWORK_LOST)


class TestAnnouncerLost:
    """A sidecar that ended without a goodbye takes its words with it."""

    def test_stale_then_gone_although_the_backend_answers(self, registry: ServiceRegistry) -> None:
        claim = mdns("box", BOX)
        say(registry, claim, look(at(BOX), online()))
        say(registry, orphaned(claim), now=NOW + 3)
        assert (only(registry).status, only(registry).problem) == (Status.STALE, problems.ANNOUNCER_LOST)
        say(registry, look(at(BOX), online()), now=NOW + 8)
        registry.tick(NOW + 3 + GONE_AFTER_S - 0.1)
        assert only(registry).status is Status.STALE
        registry.tick(NOW + 3 + GONE_AFTER_S)
        assert len(registry.snapshot()) == 0

    def test_saying_again_that_it_is_gone_prolongs_nothing(self, registry: ServiceRegistry) -> None:
        claim = mdns("box", BOX)
        say(registry, claim, look(at(BOX), online()))
        for later in (3.0, 6.0, 9.0, 3 + GONE_AFTER_S):
            say(registry, orphaned(claim), now=NOW + later)
        assert len(registry.snapshot()) == 0

    def test_back_at_once_when_it_is_heard_again(self, registry: ServiceRegistry) -> None:
        claim = mdns("box", BOX)
        say(registry, claim, look(at(BOX), online()))
        say(registry, orphaned(claim), now=NOW + 3)
        registry.tick(NOW + 100)
        say(registry, look(at(BOX), online()), claim, now=NOW + 101)
        assert only(registry).status is Status.ONLINE

    def test_what_is_gone_with_it_does_not_return_by_failing(self, registry: ServiceRegistry) -> None:
        claim = mdns("box", BOX)
        say(registry, claim, look(at(BOX), online()))
        say(registry, orphaned(claim), now=NOW + 3)
        registry.tick(NOW + 3 + GONE_AFTER_S)
        say(registry, look(at(BOX), online()), now=NOW + 20)
        assert registry.apply(look(at(BOX), down("timeout")), NOW + 24).events == ()

    def test_what_the_scan_found_too_stays(self, registry: ServiceRegistry) -> None:
        claim = mdns("mine", LAN)
        say(registry, scan("127.0.0.1", online()), claim)
        say(registry, orphaned(claim), now=NOW + 3)
        registry.tick(NOW + 3 + GONE_AFTER_S)
        assert only(registry).status is Status.ONLINE

    def test_what_the_user_wrote_down_stays(self, registry: ServiceRegistry) -> None:
        claim = mdns("box", BOX)
        say(registry, claim, manual("u", BOX, host="box", kind="comfyui"), look(at(BOX), online()))
        say(registry, orphaned(claim), now=NOW + 3)
        registry.tick(NOW + 3 + GONE_AFTER_S)
        assert only(registry).status is Status.ONLINE

    def test_one_of_two_announcers_is_enough(self, registry: ServiceRegistry) -> None:
        claim = mdns("box", BOX)
        say(registry, claim, mdns("static", BOX), look(at(BOX), online()))
        say(registry, orphaned(claim), now=NOW + 3)
        registry.tick(NOW + 3 + GONE_AFTER_S)
        assert only(registry).status is Status.ONLINE

    def test_what_has_never_answered_keeps_its_reason_until_it_goes(self, registry: ServiceRegistry) -> None:
        claim = mdns("box", BOX)
        say(registry, claim, look(at(BOX), down("refused")), orphaned(claim))
        assert only(registry).status is Status.UNREACHABLE
        assert "connection refused" in (only(registry).problem or "")
        registry.tick(NOW + GONE_AFTER_S)
        assert len(registry.snapshot()) == 0
