"""What is allowed, but probably not meant."""

from __future__ import annotations

from hybridisco.config import AnnounceSettings, Config
from hybridisco.config.doubts import doubts
from hybridisco.kinds import BUILTIN


def test_a_usual_file_raises_none() -> None:
    config = Config(kinds=BUILTIN, interfaces=("eth0",), mdns_types=(("_a._tcp", "comfyui"), ("_b._tcp", "http")))
    assert list(doubts(config, ["lo", "eth0"])) == []


def test_an_interface_that_is_not_there() -> None:
    (doubt,) = doubts(Config(kinds=BUILTIN, interfaces=("eth0", "nope0")), ["lo", "eth0"])
    assert "no interface nope0 with an address now. It has: lo, eth0." in doubt


def test_an_interface_of_the_sidecar_that_is_not_there() -> None:
    sidecar = AnnounceSettings(interfaces=("nope0",))
    (doubt,) = doubts(Config(kinds=BUILTIN, announce=sidecar), ["lo", "eth0"])
    assert doubt.startswith("announce.interfaces: this machine has no interface nope0")


def test_a_type_for_a_kind_that_nobody_knows() -> None:
    near, far = doubts(Config(kinds=BUILTIN, mdns_types=(("_a._tcp", "comfyuj"), ("_b._tcp", "zzz"))), [])
    assert "_a._tcp stands for comfyuj" in near
    assert "Did you mean comfyui?" in near
    assert "Did you mean" not in far
