"""What the panel says when there is nothing: what was tried, and why nothing may be there."""

from __future__ import annotations

from blender_addon.logic.nothing import reasons, tried
from hybridisco import Config, Endpoint, Snapshot, SourceName
from hybridisco.core.model import SourceState
from tests.settings import entry


def snapshot(**states: SourceState) -> Snapshot:
    return Snapshot(sources=tuple((SourceName(name), state) for name, state in states.items()), complete=True)


OK = SourceState("ok")


def test_it_says_what_was_tried() -> None:
    config = Config(probe_hosts=("localhost", "gpu-box"), services=(entry("http://old-box:8188"),))
    assert tried(config, snapshot(mdns=SourceState("error", "No network"), probe=OK, manual=OK)) == (
        "mDNS on all networks of this machine – failed",
        "The usual ports of localhost, gpu-box",
        "1 manual entries",
    )
    assert tried(Config(sources=("probe",), probe_hosts=()), snapshot()) == ("The usual ports of no host",)
    many = Config(sources=("probe",), probe_hosts=tuple("abcdef"))
    assert tried(many, snapshot()) == ("The usual ports of a, b, c and 3 more",)


def test_three_usual_reasons_each_with_what_to_do() -> None:
    found = reasons(Config(), snapshot(mdns=OK, probe=OK, manual=OK))
    assert [one.why.split()[0] for one in found] == ["No", "It", "The"]
    assert "--listen" in found[1].do and "address" in found[2].do
    assert all(one.do.endswith(".") for one in found)


def test_what_was_noticed_goes_first() -> None:
    silent = SourceState("ok", "open, but no answer: 127.0.0.1:8188", (Endpoint("127.0.0.1", 8188),))
    no_network = SourceState("error", "No network interface is up. Connect this machine to a network.")
    found = reasons(Config(), snapshot(mdns=no_network, probe=silent, manual=OK))
    assert len(found) == 3
    assert "127.0.0.1:8188 accepts connections" in found[0].why
    assert found[1].why == "No network interface is up. Connect this machine to a network."
    unknown = SourceState("partial", "these hosts have no address: gpu-box")
    assert reasons(Config(), snapshot(probe=unknown))[0].why == "These hosts have no address: gpu-box."


def test_nothing_is_switched_on() -> None:
    (only,) = reasons(Config(sources=()), snapshot())
    assert "switched off" in only.why and "preferences" in only.do
