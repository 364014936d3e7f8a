"""Where a mock listens, and what it says when it cannot."""

from __future__ import annotations

import socket

import aiohttp
import pytest

from hybridisco.testing import MockBackend
from hybridisco.testing.fixtures import StartMockBackend


async def fetch(http: aiohttp.ClientSession, url: str, method: str = "GET", **kwargs: str) -> tuple[int, str]:
    async with http.request(method, url, headers=kwargs) as response:
        return response.status, await response.text()


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6_loopback(), reason="this machine has no ::1")


@needs_ipv6
async def test_several_addresses_get_the_same_port(mock_backend: StartMockBackend, http: aiohttp.ClientSession) -> None:
    backend = await mock_backend("comfyui", host=["127.0.0.1", "::1"])

    assert backend.urls == (f"http://127.0.0.1:{backend.port}", f"http://[::1]:{backend.port}")
    for url in backend.urls:
        assert (await fetch(http, url + "/system_stats"))[0] == 200
        assert (await fetch(http, url + "/system_stats", Origin=url))[0] == 200


async def test_the_wildcard_address_is_reached_at_loopback(mock_backend: StartMockBackend) -> None:
    backend = await mock_backend("comfyui", host="0.0.0.0")

    assert backend.url == f"http://127.0.0.1:{backend.port}"


@needs_ipv6
async def test_a_port_in_use_is_named_and_nothing_stays_open(mock_backend: StartMockBackend) -> None:
    backend = await mock_backend("comfyui")

    with pytest.raises(OSError, match=f"port {backend.port} on 127.0.0.1 is in use by another program"):
        await mock_backend("rvc", host=["::1", "127.0.0.1"], port=backend.port)

    await mock_backend("rvc", host="::1", port=backend.port)


async def test_an_address_of_another_machine_is_refused(mock_backend: StartMockBackend) -> None:
    with pytest.raises(OSError, match=r"192\.0\.2\.1: that is no address of this machine"):
        await mock_backend("comfyui", host="192.0.2.1")


async def test_it_can_be_closed_twice_and_has_no_port_before_it_starts() -> None:
    backend = MockBackend("comfyui")
    with pytest.raises(RuntimeError, match="before it is started"):
        _ = backend.port
    async with backend:
        await backend.close()
