"""Whose key is remembered, and when."""

from __future__ import annotations

import pytest

from hybridisco import connected
from hybridisco.core.model import Finding, Pin, Status, Trust
from hybridisco.core.trust import OFF, PINNED_ONLY
from hybridisco.kinds import BUILTIN
from hybridisco.registry import ServiceRegistry
from tests.say import NOW, at, down, look, mdns, online, only, say, signed

BOX = "10.0.0.2"


@pytest.fixture
def registry() -> ServiceRegistry:
    return ServiceRegistry(BUILTIN)


class TestPins:
    CLAIM = signed(mdns("box", BOX, id="X"), "ours")
    PIN = Pin("X", "ours", "box")

    def test_a_key_is_remembered_when_the_service_is_what_it_says(self, registry: ServiceRegistry) -> None:
        assert registry.apply(self.CLAIM, NOW).pins == ()
        assert only(registry).trust is Trust.NEW
        assert registry.apply(look(at(BOX), online()), NOW).pins == (self.PIN,)
        assert only(registry).trust is Trust.PINNED
        assert registry.apply(look(at(BOX), online()), NOW + 4).pins == ()

    @pytest.mark.parametrize("finding", [online("ollama"), online(None), down("timeout")])
    def test_and_not_when_it_is_not(self, registry: ServiceRegistry, finding: Finding) -> None:
        registry.apply(self.CLAIM, NOW)
        assert registry.apply(look(at(BOX), finding), NOW).pins == ()

    def test_nor_while_the_way_to_it_is_cut(self, registry: ServiceRegistry) -> None:
        """It is remembered when the way is free: whichever call notices it returns the pin."""
        say(registry, self.CLAIM)
        registry.set_network((), NOW, offline=True)
        assert registry.apply(look(at(BOX), online()), NOW).pins == ()
        assert registry.set_network((), NOW + 1).pins == (self.PIN,)

    def test_whoever_comes_later_with_another_key_is_untrusted(self, registry: ServiceRegistry) -> None:
        say(registry, self.CLAIM, look(at(BOX), online()))
        say(registry, signed(mdns("late", "10.0.0.3", id="X"), "theirs"), look(at("10.0.0.3"), online()))
        assert {s.name: s.status for s in registry.snapshot()} == {"box": Status.ONLINE, "late": Status.UNTRUSTED}

    @pytest.mark.parametrize("number", range(8))
    def test_of_two_that_claim_an_id_the_one_that_answers_is_remembered(
        self, registry: ServiceRegistry, number: int
    ) -> None:
        rival = signed(mdns(f"rival{number}", "10.0.0.3", id="X"), "theirs")
        registry.apply(rival, NOW - 1)
        registry.apply(self.CLAIM, NOW)
        assert [pin.key for pin in registry.apply(look(at(BOX), online()), NOW).pins] == ["ours"]

    @pytest.mark.parametrize("number", range(8))
    def test_of_two_at_one_place_the_one_that_came_first(self, registry: ServiceRegistry, number: int) -> None:
        registry.apply(self.CLAIM, NOW)
        registry.apply(signed(mdns(f"a rival{number}", BOX, id="X"), "theirs"), NOW + 1)
        assert [pin.key for pin in registry.apply(look(at(BOX), online()), NOW + 2).pins] == ["ours"]

    def test_a_crowd_that_claimed_its_id_does_not_crowd_it_out(
        self, registry: ServiceRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connected, "CONNECTED_LIMIT", 8)
        for number in range(6):
            registry.apply(signed(mdns(f"{number}", f"10.5.0.{number + 1}", id="X"), f"key{number}"), NOW)
        say(registry, self.CLAIM, look(at(BOX), online()))
        for number in range(6):
            registry.apply(look(at(f"10.5.0.{number + 1}"), online()), NOW)
        registry.apply(signed(mdns("box", BOX, id="X", version="2"), "ours"), NOW + 1)
        assert [s.version for s in registry.snapshot() if s.id == "X"] == ["2"]

    @pytest.mark.parametrize("mode", [PINNED_ONLY, OFF])
    def test_only_in_the_mode_that_trusts_at_first_use(self, mode: str) -> None:
        registry = ServiceRegistry(BUILTIN, mode)
        registry.apply(self.CLAIM, NOW)
        assert registry.apply(look(at(BOX), online()), NOW).pins == ()

    def test_other_pins_are_told_once(self, registry: ServiceRegistry) -> None:
        say(registry, self.CLAIM, look(at(BOX), online()))
        (removed, added) = registry.set_pins({"X": "theirs"}, NOW).events
        assert (removed.service.id, added.service.status) == ("X", Status.UNTRUSTED)
        assert registry.set_pins({"X": "theirs"}, NOW).events == ()

    def test_a_pin_that_was_removed_is_made_again(self, registry: ServiceRegistry) -> None:
        say(registry, self.CLAIM, look(at(BOX), online()))
        assert registry.set_pins({}, NOW).pins == (self.PIN,)
