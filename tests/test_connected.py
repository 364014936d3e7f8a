"""How much the registry takes in, whoever floods it."""

from __future__ import annotations

import logging

import pytest

from hybridisco import connected
from hybridisco.core.model import SourceName, Status
from hybridisco.kinds import BUILTIN
from hybridisco.registry import ServiceRegistry
from tests.say import NOW, answer, at, gone, look, manual, mdns, online, scan

BOX = "10.0.0.2"


@pytest.fixture
def registry() -> ServiceRegistry:
    return ServiceRegistry(BUILTIN)


def test_a_flood_is_cut_and_counted(
    registry: ServiceRegistry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connected, "CLAIM_LIMIT", 20)
    with caplog.at_level(logging.WARNING):
        for number in range(30):
            registry.apply(mdns(f"{number}", f"10.1.0.{number + 1}"), NOW)
    assert (len(registry.snapshot()), registry.dropped) == (20, 10)
    assert len(caplog.records) == 1
    # What is known may change, and there is room again when something goes.
    registry.apply(mdns("3", "10.1.0.4", version="2"), NOW)
    assert any(service.version == "2" for service in registry.snapshot())
    registry.apply(gone(mdns("3", "10.1.0.4")), NOW)
    assert registry.apply(mdns("29", "10.1.0.30"), NOW).events


def test_the_users_own_words_always_get_in(registry: ServiceRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connected, "CLAIM_LIMIT", 5)
    for number in range(9):
        registry.apply(mdns(f"{number}", f"10.1.0.{number + 1}"), NOW)
    registry.apply(manual("http://mine:8188", BOX, host="mine"), NOW)
    registry.apply(scan("127.0.0.1", online()), NOW)
    sources = {source for service in registry.snapshot() for source in service.sources}
    assert sources == set(SourceName)


def test_what_is_looked_at_needs_no_room_of_its_own(registry: ServiceRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connected, "CLAIM_LIMIT", 2)
    for turn in range(5):
        for number in range(2):
            registry.apply(mdns(f"{number}", f"10.1.0.{number + 1}", "fd00::2", port=8188 + number), NOW + turn)
            answer(registry, registry.due(NOW + turn), online(), NOW + turn)
    assert ([s.status for s in registry.snapshot()], registry.dropped) == ([Status.ONLINE] * 2, 0)


def test_a_thousand_that_claim_one_id_do_not_stop_the_others(registry: ServiceRegistry) -> None:
    limit = connected.CONNECTED_LIMIT
    for number in range(limit + 50):
        registry.apply(mdns(f"{number}", f"10.2.{number // 200}.{number % 200 + 1}", id="SAME"), NOW)
    assert registry.dropped == 50
    assert registry.apply(mdns("honest", BOX, id="OWN"), NOW).events
    assert registry.apply(look(at(BOX), online()), NOW).events
