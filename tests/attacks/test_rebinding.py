"""DNS rebinding: whoever answers for a name that the user wrote down says where we connect to."""

from __future__ import annotations

import asyncio
import socket

import pytest

from hybridisco import Status
from hybridisco.sources import manual, resolve
from hybridisco.testing.fixtures import StartMockBackend, mock_backend
from tests.attacks.user import NameServer, is_checked, seen, watching

__all__ = ["mock_backend"]

AWAY = "10.99.0.1"  # of a box that is switched off


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> NameServer:
    monkeypatch.setattr(manual, "_RESOLVE_EVERY_S", 0.05)
    return NameServer(monkeypatch)


async def test_a_name_of_the_lan_that_turns_to_this_machine(names: NameServer, mock_backend: StartMockBackend) -> None:
    """The attacker answers for gpu-box: first nothing listens where it leads, then it leads to our own loopback.

    What listens here for this machine only is not asked under the attacker's name. The user sees that the name leads
    to this machine, and what to write if that is meant.
    """
    backend = await mock_backend("comfyui")
    names.says("gpu-box", [AWAY], ["127.0.0.1", "::1"])
    async with watching(f"gpu-box:{backend.port}") as manager:
        await seen(manager, lambda one: one.endpoints[0].address == AWAY)
        service = await seen(manager, lambda one: "leads to no other machine" in (one.problem or ""))
        assert service.status is Status.UNREACHABLE
        assert "localhost" in (service.problem or "")
        assert [end.address for end in service.endpoints] == [""]
        assert service.host == "gpu-box", "it is not taken for this machine's own service"
    assert not backend.requests


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254", "169.254.170.2", "::ffff:169.254.169.254", "fd00:ec2::254", "127.0.0.1", "127.8.8.8", "::1",
        "::ffff:127.0.0.1", "0.0.0.0", "::", "224.0.0.251", "ff02::fb", "255.255.255.255", "240.0.0.1",
    ],
)  # fmt: skip
async def test_a_name_that_leads_where_no_box_is(
    names: NameServer, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attacker lets gpu-box lead to the cloud's metadata service, to loopback, to everybody or to nobody.

    No connection is even tried. The user sees the entry, unreachable, and why it was not asked.
    """
    dialled: list[object] = []
    loop = asyncio.get_running_loop()
    real = loop.sock_connect

    async def connect(sock: socket.socket, to: object) -> None:
        dialled.append(to)
        await real(sock, to)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "sock_connect", connect)
    names.says("gpu-box", [address])
    async with watching("http://gpu-box/latest") as manager:
        service = await seen(manager, is_checked)
    assert service.status is Status.UNREACHABLE
    assert "It was not asked" in (service.problem or "")
    assert not dialled


async def test_the_address_that_was_checked_is_the_one_that_is_dialled(
    names: NameServer, mock_backend: StartMockBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attacker answers each question about a name differently: good when it is checked, bad when it is dialled.

    There is no second question: what is dialled is the address of the one look-up. The user sees nothing odd.
    """
    backend = await mock_backend("comfyui")
    monkeypatch.setattr(resolve, "_may_be_named", lambda literal: True)  # this machine stands for a box of the LAN
    monkeypatch.setattr(manual, "_RESOLVE_EVERY_S", 60)
    names.says("gpu-box", ["127.0.0.1"], ["127.99.99.99"])
    async with watching(f"gpu-box:{backend.port}") as manager:
        service = await seen(manager, lambda one: one.status is Status.ONLINE)
    assert [end.address for end in service.endpoints] == ["127.0.0.1"]
    assert len(backend.requests) > 1
    assert names.asked == ["gpu-box"], "many requests, one look-up"


async def test_the_good_addresses_of_a_name_stay(names: NameServer) -> None:
    """The attacker adds the metadata service to a box's true addresses. That one is left out, the others are used."""
    names.says("gpu-box", ["169.254.169.254", AWAY, "127.0.0.1", "fd77::1"])
    async with watching("gpu-box:8188") as manager:
        service = await seen(manager, is_checked)
    assert sorted(end.address for end in service.endpoints) == [AWAY, "fd77::1"]


async def test_what_the_user_calls_this_machine_is_asked(names: NameServer, mock_backend: StartMockBackend) -> None:
    """No attack: Debian's hosts file has the machine's own name at 127.0.1.1, and localhost is localhost.

    The user sees his backend online by each of these names.
    """
    backend = await mock_backend("comfyui", host="127.0.0.1")
    own = socket.gethostname().lower()
    names.says(own, ["127.0.0.1"])
    for host in (own, "localhost", "127.0.0.1"):
        async with watching(f"{host}:{backend.port}") as manager:
            assert (await seen(manager, is_checked)).status is Status.ONLINE


async def test_a_name_comes_back_when_it_leads_home_again(names: NameServer) -> None:
    """The attacker is caught, and the name is right again: the entry has its address, and says nothing of an attack."""
    names.says("gpu-box", *[["127.0.0.1"]] * 3, [AWAY])
    async with watching("gpu-box:8188") as manager:
        refused = await seen(manager, lambda one: one.status is Status.UNREACHABLE)
        assert "no other machine" in (refused.problem or "")
        await seen(manager, lambda one: one.endpoints[0].address == AWAY)
    assert not resolve.is_refused("gpu-box")
