"""What of a service is kept: what is announced and has answered as its kind, and nothing that is kept elsewhere."""

from __future__ import annotations

import pytest

from hybridisco.core.model import Announcement
from hybridisco.kinds import BUILTIN
from hybridisco.memory.entry import ENDPOINT_LIMIT, Entry, entry_of
from hybridisco.registry import ServiceRegistry
from tests.say import NOW, answer, down, look, manual, mdns, online, say, signed


def kept(registry: ServiceRegistry) -> list[Entry]:
    found = (entry_of(service, announcement, NOW) for service, announcement in registry.announced())
    return [entry for entry in found if entry is not None]


def registry_with(*said: Announcement) -> ServiceRegistry:
    registry = ServiceRegistry(BUILTIN)
    registry.set_local({"10.0.0.9"}, NOW)
    say(registry, *said)
    return registry


def test_what_answers_as_its_kind_is_kept_with_all_that_finds_it_again() -> None:
    said = mdns("Box", "10.0.0.1", "10.0.0.2", id="X", host="gpu-box.local", capabilities=("image",), version="1")
    registry = registry_with(said, look(said.endpoints[0], online()), look(said.endpoints[1], down()))
    (entry,) = kept(registry)
    assert entry.announcement().endpoints[0].key == said.endpoints[0].key
    assert [endpoint.address for endpoint in entry.endpoints] == ["10.0.0.1"]
    assert (entry.id, entry.kind, entry.name, entry.host) == ("X", "comfyui", "Box", "gpu-box.local")
    assert (entry.capabilities, entry.version, entry.key) == (("image",), "1", None)
    assert (entry.since, entry.seen_at, entry.missed) == (int(NOW), int(NOW), 0)


def test_the_key_of_its_owner_is_kept() -> None:
    said = signed(mdns("Box", "10.0.0.1", id="X"), "ours")
    assert [entry.key for entry in kept(registry_with(said, look(said.endpoints[0], online())))] == ["ours"]


def test_no_more_addresses_than_are_of_use() -> None:
    said = mdns("Box", *(f"10.0.0.{number}" for number in range(1, 8)))
    registry = registry_with(said)
    answer(registry, tuple(registry.due(NOW)), online())
    assert [len(entry.endpoints) for entry in kept(registry)] == [ENDPOINT_LIMIT]


@pytest.mark.parametrize("finding", [None, down(), online("wan2gp"), online(None)])
def test_what_does_not_answer_as_its_kind_is_not_kept(finding: object) -> None:
    said = mdns("Box", "10.0.0.1", id="X")
    registry = registry_with(said, *([look(said.endpoints[0], finding)] if finding else []))  # type: ignore[arg-type]
    assert kept(registry) == []


def test_what_runs_here_is_not_kept() -> None:
    said = mdns("Here", "10.0.0.9", id="X")
    assert kept(registry_with(said, look(said.endpoints[0], online()))) == []


def test_what_the_user_wrote_down_is_not_kept() -> None:
    said = mdns("Box", "10.0.0.1", id="X")
    written = manual("http://10.0.0.1:8188", "10.0.0.1", host="10.0.0.1", kind="comfyui")
    assert kept(registry_with(said, written, look(said.endpoints[0], online()))) == []


def test_a_stranger_under_a_known_id_is_not_kept() -> None:
    stranger = signed(mdns("Box", "10.0.0.1", id="X"), "theirs")
    registry = registry_with(stranger, look(stranger.endpoints[0], online()))
    registry.set_pins({"X": "ours"}, NOW)
    assert kept(registry) == []


def test_of_two_clones_none_is_kept() -> None:
    one, other = mdns("one", "10.0.0.1", id="X"), mdns("other", "10.0.0.2", id="X")
    registry = registry_with(one, other, look(one.endpoints[0], online()), look(other.endpoints[0], online()))
    assert len(registry.snapshot()) == 2
    assert kept(registry) == []


def test_without_an_id_it_has_the_same_id_again() -> None:
    said = mdns("Box", "10.0.0.1")
    registry = registry_with(said, look(said.endpoints[0], online()))
    (entry,) = kept(registry)
    again = registry_with(entry.announcement(), look(said.endpoints[0], online()))
    assert [service.id for service in again.snapshot()] == [service.id for service in registry.snapshot()]
