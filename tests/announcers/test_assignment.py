"""What cannot work is an error at once; what may come is waited for."""

from __future__ import annotations

from ipaddress import ip_interface

import pytest

from announcers import assignment
from announcers.assignment import Assignment, check
from hybridisco import NetworkInterface, UsageError
from hybridisco.kinds import BUILTIN

LO = NetworkInterface("lo", 1, (ip_interface("127.0.0.1/8"), ip_interface("::1/128")))
ETH8 = NetworkInterface("eth8", 2, (ip_interface("10.88.0.1/24"), ip_interface("fe80::1/64")))
ETH9 = NetworkInterface("eth9", 3, (ip_interface("10.89.0.1/24"),))
DOCKER = NetworkInterface("docker0", 4, (ip_interface("172.17.0.1/16"),))


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two cards, a switch for containers, and a card whose cable is not plugged in."""
    monkeypatch.setattr(assignment, "network_interfaces", lambda: (LO, ETH8, ETH9, DOCKER))
    monkeypatch.setattr(assignment.socket, "if_nameindex", lambda: [(1, "lo"), (2, "eth8"), (5, "wlan0")])


def job(*, only: tuple[str, ...] = (), interfaces: tuple[str, ...] = (), path: str = "/") -> Assignment:
    return Assignment(BUILTIN[0], 8188, path=path, only=only, interfaces=interfaces)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (job(interfaces=("nope0",)), "There is no interface nope0 here; there are: eth8, eth9, docker0."),
        (job(interfaces=("eth8", "lo")), "lo leads back to this machine only"),
        (job(only=("1.2.3.4",)), "The address 1.2.3.4 is not of this machine; there are: 10.88.0.1, fe80::1, "),
        (job(only=("127.0.0.1",)), "The address 127.0.0.1 leads back to this machine only; there are: "),
        (job(only=("10.88.0.1",), interfaces=("eth9",)), "10.88.0.1 is not of eth9; there are: 10.89.0.1."),
        (job(only=("10.88.0.1",), interfaces=("wlan0",)), "10.88.0.1 is not of wlan0; there is none now."),
        (job(path="/a/../b"), "such as /comfyui"),
    ],
)
def test_what_can_never_work(wrong: Assignment, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(wrong)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "right",
    [
        job(),
        job(interfaces=("eth8", "docker0")),
        job(interfaces=("wlan0",)),  # there, with no address yet
        job(only=("10.88.0.1", "fe80::1")),
        job(only=("10.88.0.1",), interfaces=("eth8",)),
        job(path="/comfyui"),
    ],
)
def test_what_may_work(right: Assignment) -> None:
    check(right)


def test_an_address_that_is_named_is_meant_wherever_it_is() -> None:
    assert job(only=("172.17.0.1",)).links() == (DOCKER,)
    assert job(only=("10.88.0.1", "10.89.0.1")).links() == (ETH8, ETH9)
    assert job(only=("192.0.2.1",)).links() == ()
