"""What a user sees of somebody who may not speak for an id, wherever he stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hybridisco.core.liveness import GONE_AFTER_S
from hybridisco.core.model import Announcement, Proof, Status, Trust
from hybridisco.core.trust import PINNED_ONLY
from hybridisco.kinds import BUILTIN
from hybridisco.registry import ServiceRegistry
from tests.say import NOW, at, down, gone, look, manual, mdns, online, only, orphaned, say, scan, signed

LAN = "10.0.0.1"  # this machine's own address
BOX, OTHER = "10.0.0.2", "10.0.0.3"
OURS = signed(mdns("ours", BOX, id="X"), "ours")


@pytest.fixture
def registry() -> ServiceRegistry:
    """The key of X is pinned."""
    registry = ServiceRegistry(BUILTIN)
    registry.set_local({LAN}, NOW)
    registry.set_pins({"X": "ours"}, NOW)
    return registry


@pytest.fixture(params=["unsigned", "another key", "false", "outdated"])
def foreign(request: pytest.FixtureRequest) -> Callable[..., Announcement]:
    """Who announces X and may not."""
    sign: dict[str, Callable[[Announcement], Announcement]] = {
        "unsigned": lambda said: said,
        "another key": lambda said: signed(said, "theirs"),
        "false": lambda said: signed(said, "ours", Proof.FALSE),
        "outdated": lambda said: signed(said, "ours", Proof.OUTDATED),
    }
    return lambda *places, **more: sign[request.param](mdns("foreign", *places, **{"id": "X", **more}))


def test_the_right_key(registry: ServiceRegistry) -> None:
    say(registry, OURS, look(at(BOX), online()))
    service = only(registry)
    assert (service.id, service.status, service.trust) == ("X", Status.ONLINE, Trust.PINNED)
    assert registry.snapshot().warnings == ()


def test_a_foreign_one_alone_is_shown_as_such(registry: ServiceRegistry, foreign: Callable[..., Announcement]) -> None:
    say(registry, foreign(BOX), look(at(BOX), online()))
    service = only(registry)
    assert (service.status, service.trust, service.verified) == (Status.UNTRUSTED, Trust.UNTRUSTED, False)
    assert not service.usable and service.id != "X"
    assert "foreign is announced" in (service.problem or "")


def test_a_foreign_one_at_the_place_of_the_right_one_is_a_warning_only(
    registry: ServiceRegistry, foreign: Callable[..., Announcement]
) -> None:
    say(registry, OURS, foreign(BOX, version="9"), look(at(BOX), online()))
    service = only(registry)
    assert (service.id, service.status, service.name, service.version) == ("X", Status.ONLINE, "ours", None)
    warnings = registry.snapshot().warnings
    if foreign(BOX).proof is Proof.OUTDATED:
        assert warnings == (), "a second sidecar with the same key, or the last one's words: nobody pretends anything"
    else:
        assert [warning.partition(" at ")[0] for warning in warnings] == ["Somebody announces foreign"]


def test_a_foreign_one_at_another_place_stands_beside_it(
    registry: ServiceRegistry, foreign: Callable[..., Announcement]
) -> None:
    say(registry, OURS, foreign(OTHER), look(at(BOX), online()), look(at(OTHER), online()))
    services = {s.status: s for s in registry.snapshot()}
    assert len(registry.snapshot()) == 2
    assert (services[Status.ONLINE].id, services[Status.ONLINE].url) == ("X", "http://10.0.0.2:8188")
    assert services[Status.UNTRUSTED].url == "http://10.0.0.3:8188"


def test_it_cannot_take_over_when_the_right_one_dies(
    registry: ServiceRegistry, foreign: Callable[..., Announcement]
) -> None:
    say(registry, OURS, foreign(OTHER), look(at(BOX), online()), look(at(OTHER), online()))
    say(registry, look(at(BOX), down("timeout")), now=NOW + 4)
    registry.tick(NOW + 4 + GONE_AFTER_S)
    assert (only(registry).status, only(registry).id == "X") == (Status.UNTRUSTED, False)


def test_its_goodbye_is_its_own(registry: ServiceRegistry, foreign: Callable[..., Announcement]) -> None:
    say(registry, OURS, foreign(BOX), look(at(BOX), online()))
    registry.apply(gone(foreign(BOX)), NOW)
    assert (only(registry).id, only(registry).status) == ("X", Status.ONLINE)


def test_what_was_found_by_looking_needs_no_key(
    registry: ServiceRegistry, foreign: Callable[..., Announcement]
) -> None:
    say(registry, scan("127.0.0.1", online()), foreign(LAN))
    assert (only(registry).status, only(registry).id) == (Status.ONLINE, "comfyui@localhost:8188")
    assert len(registry.snapshot().warnings) == 1


def test_two_impostors_are_two_services(registry: ServiceRegistry) -> None:
    one, other = signed(mdns("one", BOX, id="X"), "theirs"), mdns("other", OTHER, id="X")
    say(registry, one, other, look(at(BOX), online()), look(at(OTHER), online()))
    assert [s.status for s in registry.snapshot()] == [Status.UNTRUSTED] * 2
    assert len({s.id for s in registry.snapshot()}) == 2


def test_two_impostors_at_one_place_are_one(registry: ServiceRegistry) -> None:
    say(registry, signed(mdns("one", BOX, id="X"), "theirs"), mdns("other", BOX, id="X"))
    assert only(registry).status is Status.UNTRUSTED


def test_an_untrusted_one_goes_as_any_other(registry: ServiceRegistry) -> None:
    say(registry, mdns("foreign", BOX, id="X"), look(at(BOX), online()))
    say(registry, look(at(BOX), down("timeout")), now=NOW + 4)
    registry.tick(NOW + 4 + GONE_AFTER_S)
    assert (len(registry.snapshot()), registry.snapshot().warnings) == (0, ())


def test_a_key_that_is_accepted_ends_it(registry: ServiceRegistry) -> None:
    say(registry, signed(mdns("foreign", BOX, id="X"), "theirs"), look(at(BOX), online()))
    problem = only(registry).problem or ""
    assert problem.startswith("WARNING: ") and "`hybridisco trust accept X`" in problem
    registry.set_pins({"X": "theirs"}, NOW + 1)
    assert (only(registry).id, only(registry).status, only(registry).trust) == ("X", Status.ONLINE, Trust.PINNED)
    assert only(registry).problem is None


@pytest.mark.parametrize("intruder", [mdns("a", BOX, OTHER), signed(mdns("a", BOX, OTHER, id="Y"), "theirs")])
def test_nobody_gets_an_address_of_his_own_into_a_pinned_service(
    registry: ServiceRegistry, intruder: Announcement
) -> None:
    """He announces the right one's address, and his own besides."""
    say(registry, OURS, intruder, look(at(BOX), down("timeout")), look(at(OTHER), online()))
    (ours,) = (s for s in registry.snapshot() if s.id == "X")
    assert ours.name == "ours"
    assert [e.address for e in ours.endpoints] == [BOX]


def test_what_the_user_wrote_down_adds_its_addresses_to_a_pinned_service(registry: ServiceRegistry) -> None:
    say(registry, OURS, manual("u", BOX, OTHER, host="box", kind="comfyui"))
    assert {e.address for e in only(registry).endpoints} == {BOX, OTHER}


def test_an_unknown_id_is_new_or_unsigned(registry: ServiceRegistry) -> None:
    say(registry, signed(mdns("a", BOX, id="Y"), "theirs"), mdns("b", OTHER, id="Z"))
    assert {s.id: s.trust for s in registry.snapshot()} == {"Y": Trust.NEW, "Z": Trust.UNSIGNED}


@pytest.mark.parametrize("claim", [mdns("a", BOX, id="Y"), signed(mdns("a", BOX, id="Y"), "theirs")])
def test_where_only_pinned_keys_count_all_others_are_untrusted(claim: Announcement) -> None:
    registry = ServiceRegistry(BUILTIN, PINNED_ONLY)
    registry.set_pins({"X": "ours"}, NOW)
    say(registry, OURS, look(at(BOX), online()))
    assert only(registry).trust is Trust.PINNED
    registry.apply(gone(OURS), NOW)
    say(registry, claim)
    assert only(registry).status is Status.UNTRUSTED
    problem = only(registry).problem or ""
    assert ("not signed" if claim.signer is None else "not among those that are accepted here") in problem


def test_a_crowd_of_strangers_at_its_place_cannot_push_it_out(registry: ServiceRegistry) -> None:
    say(registry, OURS, look(at(BOX), online()))
    for number in range(300):
        say(registry, mdns(f"stranger {number}", BOX))
    say(registry, replace(OURS, version="2"), now=NOW + 1)
    registry.tick(NOW + 1)
    service = next(one for one in registry.snapshot() if one.id == "X")
    assert (service.status, service.trust, service.name) == (Status.ONLINE, Trust.PINNED, OURS.name)


def test_another_machine_that_got_the_address_of_one_that_is_gone_is_itself(registry: ServiceRegistry) -> None:
    """Nobody means harm: a box was switched off, and DHCP gave its address to the next."""
    say(registry, OURS, look(at(BOX), online()))
    say(registry, orphaned(OURS), now=NOW + 60)
    registry.tick(NOW + 60 + GONE_AFTER_S)
    newcomer = signed(mdns("newcomer", BOX, id="Y"), "another")
    say(registry, newcomer, look(at(BOX), online()), now=NOW + 70)
    service = only(registry)
    assert (service.id, service.name, service.status) == ("Y", "newcomer", Status.ONLINE)
    assert service.trust is Trust.PINNED, "its key is remembered as any other's"


def test_a_neighbour_cannot_lead_the_users_own_entry_elsewhere(registry: ServiceRegistry) -> None:
    """He announces the place that the user wrote down beside one of his own, with a key that is known."""
    registry.set_pins({"X": "ours", "M": "mallory"}, NOW)
    say(registry, manual(f"http://{BOX}:8188", BOX, host=BOX), look(at(BOX), online()))
    say(registry, signed(mdns("mallory", BOX, OTHER, id="M"), "mallory"), look(at(OTHER), online()))
    assert only(registry).url == f"http://{BOX}:8188"
    say(registry, look(at(BOX), down()), now=NOW + 1)
    assert only(registry).url == f"http://{BOX}:8188", "also when nothing answers there for a moment"
