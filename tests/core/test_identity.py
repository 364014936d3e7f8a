"""Who is who: keys, hosts, machines and the groups that they make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridisco.core.identity import THIS_MACHINE, bare_host, derived_id, is_local, keys, machine, partition, place_keys
from hybridisco.core.model import Endpoint
from tests.say import at, manual, mdns

LOCAL = frozenset({"10.0.0.1", "fe80::1%eth0"})


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.1.1", "::1", "10.0.0.1", "fe80::1%eth0"])
def test_addresses_of_this_machine(address: str) -> None:
    assert is_local(at(address), LOCAL)
    assert place_keys(mdns("a", address), LOCAL) == {("at", THIS_MACHINE, 8188)}


@pytest.mark.parametrize("address", ["10.0.0.2", "fe80::1%eth1", "fd00::1"])
def test_addresses_of_others(address: str) -> None:
    assert not is_local(at(address), LOCAL)
    assert place_keys(mdns("a", address), LOCAL) == {("at", address, 8188)}


def test_a_host_name_is_a_place_too() -> None:
    assert ("host", "gpu-box", 8188) in place_keys(mdns("a", "10.0.0.2", host="GPU-box.local."), LOCAL)
    assert place_keys(manual("u", host="gpu-box"), LOCAL) == {("host", "gpu-box", 8188)}


def test_an_id_is_no_place() -> None:
    said = mdns("a", "10.0.0.2", id="ID")
    assert keys(said, LOCAL) - place_keys(said, LOCAL) == {("id", "ID", 0)}


@pytest.mark.parametrize("name", ["gpu-box", "GPU-Box", "gpu-box.local", "gpu-box.local."])
def test_names_of_one_host(name: str) -> None:
    assert bare_host(name) == "gpu-box"


def test_a_name_in_another_domain_is_another_host() -> None:
    assert bare_host("gpu-box.studio.example") == "gpu-box.studio.example"


def test_machines() -> None:
    assert machine([mdns("a", "10.0.0.3", "10.0.0.1")], LOCAL) == THIS_MACHINE
    assert machine([mdns("a", "10.0.0.3", "10.0.0.2")], LOCAL) == "10.0.0.2"
    assert machine([mdns("a", "10.0.0.2"), manual("u", "10.0.0.2", host="box")], LOCAL) == "box"
    assert machine([manual("u", host="box")], LOCAL) == "box"


def test_derived_ids() -> None:
    assert derived_id("comfyui", "box", 8188, "/") == "comfyui@box:8188"
    assert derived_id("comfyui", "box", 8188, "/base") == "comfyui@box:8188/base"


def test_two_names_that_have_no_address_are_two_places() -> None:
    one, other = Endpoint("", 8188, host="a"), Endpoint("", 8188, host="b")
    assert one.key != other.key


@given(st.lists(st.frozensets(st.integers(0, 12), max_size=3), max_size=12))
def test_a_group_is_what_is_connected(items: list[frozenset[int]]) -> None:
    numbered = list(enumerate(items))
    groups = partition(numbered, lambda item: item[1])
    assert sorted(item for group in groups for item in group) == sorted(numbered)
    group_of = {index: number for number, group in enumerate(groups) for index, _ in group}
    for one, mine in numbered:
        for other, theirs in numbered:
            if mine & theirs:
                assert group_of[one] == group_of[other]
    for group in groups:  # and nothing more: each is reached from its first
        reached, keys_seen = {group[0][0]}, set(group[0][1])
        while new := {i for i, own in group if i not in reached and own & keys_seen}:
            reached |= new
            keys_seen |= {key for i, own in group if i in new for key in own}
        assert reached == {index for index, _ in group}
    assert all(group == sorted(group) for group in groups)
