"""What a user sees when evidence meets: each rule of the merge, and each sentence of the design on identity."""

from __future__ import annotations

import pytest

from hybridisco.core import problems
from hybridisco.core.liveness import GONE_AFTER_S
from hybridisco.core.model import Finding, Service, SourceName, Status
from hybridisco.kinds import BUILTIN
from hybridisco.registry import ServiceRegistry
from tests.say import NOW, answer, at, down, gone, look, manual, mdns, online, only, say, scan

LAN = "10.0.0.1"  # this machine's own address
BOX, OTHER = "10.0.0.2", "10.0.0.3"
LOCKED_GRADIO = Finding(Status.LOCKED, "gradio", "gradio")


@pytest.fixture
def registry() -> ServiceRegistry:
    registry = ServiceRegistry(BUILTIN)
    registry.set_local({LAN, "fe80::1%eth0", "127.0.0.1", "::1"}, NOW)
    return registry


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
        assert only(registry).problem == problems.NOT_CHECKED

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
