"""What a user sees when evidence meets: each rule of the merge, and each sentence of the design on identity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hybridisco.core import problems
from hybridisco.core.liveness import CHECK_EVERY_S, GONE_AFTER_S, HANGS_FOR_S
from hybridisco.core.model import Announcement, Change, Finding, Proof, Service, SourceName, Status, Trust
from hybridisco.core.trust import PINNED_ONLY
from hybridisco.kinds import BUILTIN
from hybridisco.registry import ServiceRegistry
from tests.say import NOW, answer, at, down, gone, look, manual, mdns, online, orphaned, scan, signed

LAN = "10.0.0.1"  # this machine's own address
BOX, OTHER = "10.0.0.2", "10.0.0.3"
OTHER_WAY = "10.0.1.2"  # the same box by another network
LOCKED_GRADIO = Finding(Status.LOCKED, "gradio", "gradio")
ETH0, ETH1 = at(BOX, interface="eth0"), at(OTHER_WAY, interface="eth1")


def by_eth0(name: str, *addresses: str) -> Announcement:
    """A claim of a box that is reached by eth0, and by eth1 if it has another address."""
    return replace(mdns(name, *addresses), endpoints=(ETH0, ETH1)[: len(addresses)])


@pytest.fixture
def registry() -> ServiceRegistry:
    registry = ServiceRegistry(BUILTIN)
    registry.set_local({LAN, "fe80::1%eth0", "127.0.0.1", "::1"}, NOW)
    return registry


def say(registry: ServiceRegistry, *announcements: Announcement, now: float = NOW) -> None:
    for announcement in announcements:
        registry.apply(announcement, now)


def only(registry: ServiceRegistry) -> Service:
    services = registry.snapshot().services
    assert len(services) == 1, [(s.id, s.kind, s.status) for s in services]
    return services[0]


def by_kind(registry: ServiceRegistry) -> dict[str, Service]:
    services = registry.snapshot().services
    assert len({s.kind for s in services}) == len(services)
    return {service.kind: service for service in services}


class TestOneService:
    def test_seen_on_loopback_and_announced_at_our_own_address(self, registry: ServiceRegistry) -> None:
        say(registry, scan("127.0.0.1", online()), mdns("ComfyUI on me", LAN, id="ID", host="me.local"))
        service = only(registry)
        assert service.sources == (SourceName.MDNS, SourceName.PROBE)
        assert (service.id, service.status, service.url) == ("ID", Status.ONLINE, "http://127.0.0.1:8188")
        assert [e.address for e in service.endpoints] == ["127.0.0.1", LAN]

    def test_both_loopback_addresses(self, registry: ServiceRegistry) -> None:
        say(registry, scan("127.0.0.1", online()), scan("::1", online()))
        assert [e.url for e in only(registry).endpoints] == ["http://127.0.0.1:8188", "http://[::1]:8188"]
        assert only(registry).id == "comfyui@localhost:8188"

    def test_two_families_and_several_interfaces(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", "fe80::2%eth1", "fd00::2", BOX, "fe80::2%eth0", id="ID"))
        answer(registry, registry.due(NOW), online())
        urls = [e.url for e in only(registry).endpoints]
        assert urls[:2] == ["http://10.0.0.2:8188", "http://[fd00::2]:8188"]
        assert sorted(urls[2:]) == ["http://[fe80::2%25eth0]:8188", "http://[fe80::2%25eth1]:8188"]

    def test_announced_on_two_networks_under_one_id(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX, id="ID"), mdns("box", "192.168.7.2", BOX, id="ID"))
        assert len(only(registry).endpoints) == 2

    def test_without_an_id_the_place_and_the_kind_are_the_key(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("one", BOX), mdns("two", BOX))
        assert only(registry).id == "comfyui@10.0.0.2:8188"

    def test_written_down_by_name_and_announced_by_address(self, registry: ServiceRegistry) -> None:
        say(registry, manual("http://gpu-box:8188", BOX, host="gpu-box"), mdns("ComfyUI on gpu-box", BOX, id="ID"))
        service = only(registry)
        assert service.sources == (SourceName.MDNS, SourceName.MANUAL)
        assert service.url == "http://gpu-box:8188"

    def test_a_name_that_does_not_resolve_joins_the_host_of_that_name(self, registry: ServiceRegistry) -> None:
        say(registry, manual("http://GPU-box.local:8188", host="gpu-box.local"), mdns("box", BOX, host="gpu-box.local"))
        registry.apply(look(at(BOX), online()), NOW)
        assert (only(registry).status, only(registry).url) == (Status.ONLINE, "http://10.0.0.2:8188")

    def test_the_same_id_where_only_one_place_answers_has_moved(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("old", BOX, id="ID"), mdns("new", OTHER, id="ID"))
        say(registry, look(at(BOX), down()), look(at(OTHER), online()))
        service = only(registry)
        assert (service.id, service.status, service.url) == ("ID", Status.ONLINE, "http://10.0.0.3:8188")
        assert registry.snapshot().warnings == ()

    def test_another_program_at_the_old_place_makes_no_clone(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("old", BOX, id="ID"), mdns("new", OTHER, id="ID"))
        say(registry, look(at(BOX), online("ollama")), look(at(OTHER), online()))
        assert only(registry).url == "http://10.0.0.3:8188"
        assert registry.snapshot().warnings == ()


class TestSeveralServices:
    def test_a_cloned_id_is_two_services_and_a_warning(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("a", BOX, id="ID"), mdns("b", OTHER, id="ID"))
        say(registry, look(at(BOX), online()), look(at(OTHER), online()))
        one, two = registry.snapshot().services
        assert {one.url, two.url} == {"http://10.0.0.2:8188", "http://10.0.0.3:8188"}
        assert one.id != two.id
        assert one.status is two.status is Status.ONLINE
        (warning,) = registry.snapshot().warnings
        assert "ID" in warning and "10.0.0.2:8188" in warning and "10.0.0.3:8188" in warning
        assert one.problem == two.problem == warning

    def test_a_clone_that_is_mended_leaves_one_service(self, registry: ServiceRegistry) -> None:
        copy = mdns("b", OTHER, id="ID")
        say(registry, mdns("a", BOX, id="ID"), copy)
        say(registry, look(at(BOX), online()), look(at(OTHER), online()))
        registry.apply(gone(copy), NOW)
        assert (only(registry).id, registry.snapshot().warnings) == ("ID", ())

    def test_the_warning_names_only_the_places_that_answer(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("a", BOX, id="ID"), mdns("b", OTHER, id="ID"), mdns("c", "10.0.0.4", id="ID"))
        say(registry, look(at(BOX), online()), look(at(OTHER), online()), look(at("10.0.0.4"), down()))
        (warning,) = registry.snapshot().warnings
        assert "10.0.0.4" not in warning

    def test_the_warning_names_the_id_that_was_cloned(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("a", BOX, id="COPIED"), mdns("b", OTHER, id="COPIED"), mdns("a2", BOX, id="AAA"))
        say(registry, look(at(BOX), online()), look(at(OTHER), online()))
        assert "The id COPIED answers" in registry.snapshot().warnings[0]

    def test_two_kinds_at_one_port(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("claim", BOX, kind="comfyui"), mdns("truth", BOX, kind="ollama"))
        answer(registry, registry.due(NOW), online("ollama"))
        services = by_kind(registry)
        assert services["ollama"].status is Status.ONLINE
        assert services["comfyui"].status is Status.MISMATCH

    def test_different_base_paths_at_one_port(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("a", BOX, path="/a"), mdns("b", BOX, path="/b"))
        assert [s.url for s in registry.snapshot()] == ["http://10.0.0.2:8188/a", "http://10.0.0.2:8188/b"]

    def test_one_id_at_two_base_paths_still_gives_two_ids(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("a", BOX, path="/a", id="ID"), mdns("b", BOX, path="/b", id="ID"))
        assert len({s.id for s in registry.snapshot()}) == 2

    def test_different_ports_of_one_host(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("a", BOX, host="box.local"), mdns("b", BOX, port=8189, host="box.local"))
        assert len(registry.snapshot()) == 2

    @pytest.mark.parametrize("host", ["localhost", "localhost.local", "127.0.0.1", "127.0.0.1.local"])
    def test_a_stranger_called_like_this_machine_stays_a_stranger(self, registry: ServiceRegistry, host: str) -> None:
        say(registry, scan("127.0.0.1", online()), manual("me", "127.0.0.1", host="127.0.0.1"))
        say(registry, mdns("stranger", BOX, host=host))
        assert len(registry.snapshot()) == 2

    def test_the_link_local_address_of_another_link_is_another_machine(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("a", "fe80::2%eth0"), mdns("b", "fe80::2%eth1"))
        assert len(registry.snapshot()) == 2


class TestEvidenceThatLeavesTheKindOpen:
    def test_a_claim_without_kind_is_what_answers_there(self, registry: ServiceRegistry) -> None:
        say(registry, manual("http://box:8188", BOX, host="box"))
        assert only(registry).kind == "http"
        say(registry, look(at(BOX), online()))
        assert (only(registry).kind, only(registry).name) == ("comfyui", "ComfyUI on box")

    @pytest.mark.parametrize("kind", [None, "http"])
    def test_it_stays_what_it_was_when_it_falls_silent(self, registry: ServiceRegistry, kind: str | None) -> None:
        say(registry, manual("http://box:8188", BOX, host="box", kind=kind), look(at(BOX), online()))
        before = only(registry)
        say(registry, look(at(BOX), down()), now=NOW + 5)
        assert (only(registry).id, only(registry).kind, only(registry).status) == (before.id, "comfyui", Status.STALE)
        registry.tick(NOW + 5 + GONE_AFTER_S)
        assert (only(registry).id, only(registry).status) == (before.id, Status.UNREACHABLE)

    def test_a_local_service_that_hangs_stays_what_it_was(self, registry: ServiceRegistry) -> None:
        say(registry, scan("127.0.0.1", online()))
        say(registry, scan("127.0.0.1", down("silent")), now=NOW + 5)
        assert (only(registry).kind, only(registry).status) == ("comfyui", Status.STALE)

    def test_another_program_at_its_port_is_not_taken_for_it(self, registry: ServiceRegistry) -> None:
        say(registry, scan("127.0.0.1", online()))
        say(registry, scan("127.0.0.1", online(None)), now=NOW + 5)
        assert (only(registry).kind, only(registry).status) == ("http", Status.ONLINE)

    def test_a_login_that_hides_the_program_joins_the_claim(self, registry: ServiceRegistry) -> None:
        say(registry, scan("127.0.0.1", LOCKED_GRADIO, port=7860), mdns("mine", LAN, port=7860, kind="wan2gp"))
        answer(registry, registry.due(NOW), LOCKED_GRADIO)
        service = only(registry)
        assert (service.kind, service.status, service.verified) == ("wan2gp", Status.LOCKED, False)
        assert service.sources == (SourceName.MDNS, SourceName.PROBE)

    def test_without_a_claim_the_login_is_all_there_is(self, registry: ServiceRegistry) -> None:
        say(registry, scan("127.0.0.1", LOCKED_GRADIO, port=7860))
        assert (only(registry).kind, only(registry).status) == ("gradio", Status.LOCKED)

    def test_a_server_that_only_says_503_joins_the_claim(self, registry: ServiceRegistry) -> None:
        starting = Finding(Status.STARTING)
        say(registry, scan("127.0.0.1", starting), mdns("mine", LAN))
        assert (only(registry).kind, only(registry).status) == ("comfyui", Status.STARTING)

    def test_a_server_that_answers_as_nothing_known_does_not(self, registry: ServiceRegistry) -> None:
        say(registry, scan("127.0.0.1", online(None)), mdns("mine", LAN))
        answer(registry, registry.due(NOW), online(None))
        services = by_kind(registry)
        assert services["comfyui"].status is Status.MISMATCH
        assert services["http"].status is Status.ONLINE

    def test_a_claim_without_kind_joins_what_was_found_on_loopback(self, registry: ServiceRegistry) -> None:
        say(registry, scan("127.0.0.1", online()), mdns("mine", LAN, kind=None))
        answer(registry, registry.due(NOW), down())  # it listens on loopback only
        assert (only(registry).kind, only(registry).status) == ("comfyui", Status.ONLINE)


class TestStatus:
    def test_announced_and_not_looked_at_yet(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX))
        assert (only(registry).status, only(registry).verified) == (Status.STALE, False)
        assert only(registry).problem == "It was announced, but has not been checked yet."

    def test_it_never_answered(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX), look(at(BOX), down("refused")))
        registry.tick(NOW + 1000)
        service = only(registry)
        assert service.status is Status.UNREACHABLE
        assert "connection refused" in (service.problem or "") and "--listen" in (service.problem or "")

    def test_an_address_that_answers_is_enough(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX, "fd00::2"), look(at(BOX), down("timeout")), look(at("fd00::2"), online()))
        service = only(registry)
        assert (service.status, service.url) == (Status.ONLINE, "http://[fd00::2]:8188")
        assert [e.reachable for e in service.endpoints] == [True, False]

    def test_the_url_is_that_of_the_right_program(self, registry: ServiceRegistry) -> None:
        say(registry, manual("http://localhost:8188", "127.0.0.1", "::1", host="localhost", kind="comfyui"))
        say(registry, look(at("127.0.0.1"), online("ollama")), look(at("::1"), online()))
        assert (only(registry).status, only(registry).url) == (Status.ONLINE, "http://[::1]:8188")

    def test_mismatch(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX), look(at(BOX), online("ollama", version="0.5")))
        service = only(registry)
        assert (service.status, service.verified, service.version) == (Status.MISMATCH, False, None)
        assert service.problem is not None
        assert service.problem.startswith("http://10.0.0.2:8188 should be ComfyUI, but Ollama 0.5 answers there.")

    def test_mismatch_with_something_unknown(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX), look(at(BOX), online(None)))
        assert "something that is not ComfyUI answers there" in (only(registry).problem or "")

    def test_a_login_that_shows_another_program_is_a_mismatch(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX, port=7860, kind="wan2gp"))
        say(registry, look(at(BOX, 7860), Finding(Status.LOCKED, "rvc", "gradio")))
        assert only(registry).status is Status.MISMATCH

    def test_a_login_of_another_framework_is_a_mismatch(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX, kind="comfyui"), look(at(BOX), LOCKED_GRADIO))
        assert only(registry).status is Status.MISMATCH

    @pytest.mark.parametrize("status", [Status.BUSY, Status.STARTING, Status.LOCKED])
    def test_it_says_so_itself(self, registry: ServiceRegistry, status: Status) -> None:
        say(registry, mdns("box", BOX), look(at(BOX), Finding(status, "comfyui")))
        assert (only(registry).status, only(registry).verified) == (status, True)
        assert bool(only(registry).problem) == (status is not Status.BUSY)


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


class TestTrust:
    """Who may speak for an id. The key of X is pinned."""

    OURS = signed(mdns("ours", BOX, id="X"), "ours")

    @pytest.fixture
    def registry(self, registry: ServiceRegistry) -> ServiceRegistry:
        registry.set_pins({"X": "ours"}, NOW)
        return registry

    @pytest.fixture(params=["unsigned", "another key", "false", "outdated"])
    def foreign(self, request: pytest.FixtureRequest) -> Callable[..., Announcement]:
        """Who announces X and may not."""
        sign: dict[str, Callable[[Announcement], Announcement]] = {
            "unsigned": lambda said: said,
            "another key": lambda said: signed(said, "theirs"),
            "false": lambda said: signed(said, "ours", Proof.FALSE),
            "outdated": lambda said: signed(said, "ours", Proof.OUTDATED),
        }
        return lambda *places, **more: sign[request.param](mdns("foreign", *places, **{"id": "X", **more}))

    def test_the_right_key(self, registry: ServiceRegistry) -> None:
        say(registry, self.OURS, look(at(BOX), online()))
        service = only(registry)
        assert (service.id, service.status, service.trust) == ("X", Status.ONLINE, Trust.PINNED)
        assert registry.snapshot().warnings == ()

    def test_a_foreign_one_alone_is_shown_with_a_loud_warning(
        self, registry: ServiceRegistry, foreign: Callable[..., Announcement]
    ) -> None:
        say(registry, foreign(BOX), look(at(BOX), online()))
        service = only(registry)
        assert (service.status, service.trust, service.verified) == (Status.UNTRUSTED, Trust.UNTRUSTED, False)
        assert not service.usable and service.id != "X"
        assert registry.snapshot().warnings == (service.problem,)

    def test_a_foreign_one_at_the_place_of_the_right_one_is_a_warning_only(
        self, registry: ServiceRegistry, foreign: Callable[..., Announcement]
    ) -> None:
        say(registry, self.OURS, foreign(BOX, version="9"), look(at(BOX), online()))
        service = only(registry)
        assert (service.id, service.status, service.name, service.version) == ("X", Status.ONLINE, "ours", None)
        (warning,) = registry.snapshot().warnings
        assert "Somebody announces foreign" in warning

    def test_a_foreign_one_at_another_place_stands_beside_it(
        self, registry: ServiceRegistry, foreign: Callable[..., Announcement]
    ) -> None:
        say(registry, self.OURS, foreign(OTHER), look(at(BOX), online()), look(at(OTHER), online()))
        services = {s.status: s for s in registry.snapshot()}
        assert len(registry.snapshot()) == 2
        assert (services[Status.ONLINE].id, services[Status.ONLINE].url) == ("X", "http://10.0.0.2:8188")
        assert services[Status.UNTRUSTED].url == "http://10.0.0.3:8188"

    def test_it_cannot_take_over_when_the_right_one_dies(
        self, registry: ServiceRegistry, foreign: Callable[..., Announcement]
    ) -> None:
        say(registry, self.OURS, foreign(OTHER), look(at(BOX), online()), look(at(OTHER), online()))
        say(registry, look(at(BOX), down("timeout")), now=NOW + 4)
        registry.tick(NOW + 4 + GONE_AFTER_S)
        assert (only(registry).status, only(registry).id == "X") == (Status.UNTRUSTED, False)

    def test_its_goodbye_is_its_own(self, registry: ServiceRegistry, foreign: Callable[..., Announcement]) -> None:
        say(registry, self.OURS, foreign(BOX), look(at(BOX), online()))
        registry.apply(gone(foreign(BOX)), NOW)
        assert (only(registry).id, only(registry).status) == ("X", Status.ONLINE)

    def test_what_was_found_by_looking_needs_no_key(
        self, registry: ServiceRegistry, foreign: Callable[..., Announcement]
    ) -> None:
        say(registry, scan("127.0.0.1", online()), foreign(LAN))
        assert (only(registry).status, only(registry).id) == (Status.ONLINE, "comfyui@localhost:8188")
        assert len(registry.snapshot().warnings) == 1

    def test_two_impostors_are_two_services(self, registry: ServiceRegistry) -> None:
        one, other = signed(mdns("one", BOX, id="X"), "theirs"), mdns("other", OTHER, id="X")
        say(registry, one, other, look(at(BOX), online()), look(at(OTHER), online()))
        assert [s.status for s in registry.snapshot()] == [Status.UNTRUSTED] * 2
        assert len({s.id for s in registry.snapshot()}) == 2

    def test_two_impostors_at_one_place_are_one(self, registry: ServiceRegistry) -> None:
        say(registry, signed(mdns("one", BOX, id="X"), "theirs"), mdns("other", BOX, id="X"))
        assert only(registry).status is Status.UNTRUSTED

    def test_an_untrusted_one_goes_as_any_other(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("foreign", BOX, id="X"), look(at(BOX), online()))
        say(registry, look(at(BOX), down("timeout")), now=NOW + 4)
        registry.tick(NOW + 4 + GONE_AFTER_S)
        assert (len(registry.snapshot()), registry.snapshot().warnings) == (0, ())

    def test_a_key_that_is_accepted_ends_it(self, registry: ServiceRegistry) -> None:
        say(registry, signed(mdns("foreign", BOX, id="X"), "theirs"), look(at(BOX), online()))
        registry.set_pins({"X": "theirs"}, NOW + 1)
        assert (only(registry).id, only(registry).status, only(registry).trust) == ("X", Status.ONLINE, Trust.PINNED)
        assert registry.snapshot().warnings == ()

    @pytest.mark.parametrize("intruder", [mdns("a", BOX, OTHER), signed(mdns("a", BOX, OTHER, id="Y"), "theirs")])
    def test_nobody_gets_an_address_of_his_own_into_a_pinned_service(
        self, registry: ServiceRegistry, intruder: Announcement
    ) -> None:
        """He announces the right one's address, and his own besides."""
        say(registry, self.OURS, intruder, look(at(BOX), down("timeout")), look(at(OTHER), online()))
        (ours,) = (s for s in registry.snapshot() if s.id == "X")
        assert ours.name == "ours"
        assert [e.address for e in ours.endpoints] == [BOX]

    def test_what_the_user_wrote_down_adds_its_addresses_to_a_pinned_service(self, registry: ServiceRegistry) -> None:
        say(registry, self.OURS, manual("u", BOX, OTHER, host="box", kind="comfyui"))
        assert {e.address for e in only(registry).endpoints} == {BOX, OTHER}

    def test_an_unknown_id_is_new_or_unsigned(self, registry: ServiceRegistry) -> None:
        say(registry, signed(mdns("a", BOX, id="Y"), "theirs"), mdns("b", OTHER, id="Z"))
        assert {s.id: s.trust for s in registry.snapshot()} == {"Y": Trust.NEW, "Z": Trust.UNSIGNED}

    @pytest.mark.parametrize("claim", [mdns("a", BOX, id="Y"), signed(mdns("a", BOX, id="Y"), "theirs")])
    def test_where_only_pinned_keys_count_all_others_are_untrusted(self, claim: Announcement) -> None:
        registry = ServiceRegistry(BUILTIN, PINNED_ONLY)
        registry.set_pins({"X": "ours"}, NOW)
        say(registry, self.OURS, look(at(BOX), online()))
        assert only(registry).trust is Trust.PINNED
        registry.apply(gone(self.OURS), NOW)
        say(registry, claim)
        assert only(registry).status is Status.UNTRUSTED
        assert "not among those that are accepted here" in (only(registry).problem or "")


class TestWhoseWordsCount:
    def test_the_name_the_user_gave(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("Theirs", BOX, host="box.local"))
        say(registry, manual("http://10.0.0.2:8188", BOX, host=BOX, kind="comfyui", name="Mine"))
        assert (only(registry).name, only(registry).host) == ("Mine", BOX)

    def test_the_announced_name_before_a_guess(self, registry: ServiceRegistry) -> None:
        say(registry, scan("127.0.0.1", online()))
        assert only(registry).name == "ComfyUI on localhost"
        say(registry, mdns("Studio", LAN))
        assert only(registry).name == "Studio"

    def test_what_nobody_knows_is_called_by_its_place(self, registry: ServiceRegistry) -> None:
        say(registry, scan("127.0.0.1", Finding(Status.ONLINE)))
        assert (only(registry).kind, only(registry).name) == ("http", "localhost:8188")

    def test_the_version_that_answers_before_the_announced_one(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX, version="0.1", capabilities=("video",), properties=(("gpu", "A"), ("x", 1))))
        assert (only(registry).version, only(registry).capabilities) == ("0.1", ("video",))
        say(registry, look(at(BOX), online(version="0.2", capabilities=("image",), properties=(("gpu", "B"),))))
        service = only(registry)
        assert (service.version, service.capabilities) == ("0.2", ("image",))
        assert service.properties == (("gpu", "B"), ("x", 1))

    def test_an_answer_of_another_kind_adds_nothing(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX, version="0.1"), look(at(BOX), online("ollama", properties=(("models", 3),))))
        assert (only(registry).version, only(registry).properties) == ("0.1", ())

    def test_capabilities_of_the_kind_where_nobody_says_more(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX))
        assert "image" in only(registry).capabilities

    def test_first_and_last_seen(self, registry: ServiceRegistry) -> None:
        say(registry, mdns("box", BOX))
        say(registry, mdns("box", BOX), now=NOW + 10)
        say(registry, look(at(BOX), online()), now=NOW + 11)
        assert (only(registry).first_seen, only(registry).last_seen) == (NOW, NOW + 11)
