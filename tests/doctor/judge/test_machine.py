"""Settings, containers, WSL2, macOS and clocks: what the doctor makes of them."""

from __future__ import annotations

import pytest

from hybridisco.doctor.facts import Clock, Machine, Settings, Tcp
from hybridisco.doctor.report import Result
from tests.doctor.world import HEALTHY, causes, check, host, link, links, report

WSL = "5.15.153.1-microsoft-standard-WSL2"


def test_wrong_settings_go_before_everything() -> None:
    wrong = Settings("/x/config.toml", error="/x/config.toml, line 3: nonsense: there is no such key")
    assert causes(settings=wrong, links=links(usable=[])) == ["settings-wrong", "no-network"]
    assert check("settings", settings=wrong).evidence == (wrong.error,)


def test_doubtful_settings() -> None:
    assert causes(settings=Settings("f", doubts=("mdns.interfaces: …",))) == ["interfaces-not-there"]
    assert check("settings", settings=Settings("f")).evidence == ("f is right",)


@pytest.mark.parametrize(
    ("address", "mark", "expected"),
    [
        ("172.17.0.2/16", "/.dockerenv", Result.PROBLEM),
        ("172.19.0.5/16", "/.dockerenv", Result.PROBLEM),
        ("10.88.0.3/16", "/run/.containerenv", Result.PROBLEM),
        ("172.17.0.2/16", None, Result.WARNING),
        ("172.17.0.2/24", "/.dockerenv", Result.OK),
        ("192.168.1.5/24", "/.dockerenv", Result.OK),
        ("192.168.1.5/24", None, Result.OK),
    ],
)
def test_containers(address: str, mark: str | None, expected: Result) -> None:
    changes = {"links": links(link("eth0", address, "fe80::2/64")), "machine": Machine("linux", "6.1", mark)}
    assert check("container", **changes).result is expected
    assert causes(**changes) == ([] if expected is Result.OK else ["container-network"])


def test_a_container_with_a_lan_besides_is_well() -> None:
    both = links(link("eth0", "172.17.0.2/16", "fe80::2/64"), link("eth1", "192.168.1.5/24"))
    assert check("container", links=both, machine=Machine("linux", "6.1", "/.dockerenv")).result is Result.OK


def test_wsl() -> None:
    nat = links(link("eth0", "172.29.112.4/20", "fe80::2/64"))
    assert causes(links=nat, machine=Machine("linux", WSL)) == ["wsl-nat"]
    assert "mirrored" in check("wsl", links=nat, machine=Machine("linux", WSL)).fix
    assert check("wsl", machine=Machine("linux", WSL)).result is Result.OK


def test_the_local_network_permission_of_macos() -> None:
    mac = Machine("darwin", "24.0")
    assert causes(hosts=(host(Tcp.NO_ROUTE),), machine=mac) == ["local-network-permission"]
    assert check("permission", hosts=(host(Tcp.REFUSED),), machine=mac).result is Result.OK
    assert check("permission", machine=mac).result is Result.UNKNOWN
    assert "permission" not in {one.id for one in report(hosts=(host(Tcp.NO_ROUTE),)).checks}


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        (Clock((1_790_000_000.0, 1_790_003_602.0), (5.0, 7.0)), "jumped by +3600 s"),
        (Clock((1_790_000_000.0, 1_789_999_902.0), (5.0, 7.0)), "jumped by -100 s"),
        (Clock((0.0, 2.0), (5.0, 7.0)), "cannot be"),
    ],
)
def test_clocks(clock: Clock, words: str) -> None:
    assert causes(clock=clock) == ["clock"]
    assert words in check("clock", clock=clock).evidence[0]


def test_a_machine_that_has_slept_is_well() -> None:
    slept = Clock((1_790_000_000.0, 1_790_000_002.0), (5.0, 7.0), 4000.0)
    assert check("clock", clock=slept).evidence == ("runs evenly; the machine has slept for 4000 s since its start",)


def test_what_broke_is_told() -> None:
    seen = check("look:the firewall", failed=(("the firewall", "OSError: …"),))
    assert seen.result is Result.UNKNOWN
    assert HEALTHY.failed == ()
