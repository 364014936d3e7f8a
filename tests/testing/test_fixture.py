"""The pytest fixture, used as another project would, and what the plugin is without pytest-asyncio."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from hybridisco.testing import MockBackend
from hybridisco.testing.fixtures import StartMockBackend


@pytest_asyncio.fixture
async def closed_afterwards() -> AsyncIterator[list[MockBackend]]:
    """Backends that must be closed when the test is over: asked for before ``mock_backend``, this ends after it."""
    opened: list[MockBackend] = []
    yield opened
    assert opened
    async with aiohttp.ClientSession() as http:
        for backend in opened:
            with pytest.raises(aiohttp.ClientConnectorError):
                await http.get(backend.url)


async def test_the_fixture_starts_as_many_as_are_asked_for_and_closes_them(
    closed_afterwards: list[MockBackend], mock_backend: StartMockBackend
) -> None:
    comfyui = await mock_backend("comfyui", queue=1)
    rvc = await mock_backend("rvc", fault="hang")

    assert (comfyui.kind, rvc.fault) == ("comfyui", "hang")
    assert comfyui.port != rvc.port
    closed_afterwards.extend([comfyui, rvc])


async def test_a_backend_may_be_closed_before_the_end(mock_backend: StartMockBackend) -> None:
    backend = await mock_backend("comfyui")

    await backend.close()


def test_without_pytest_asyncio_the_plugin_is_empty_and_light() -> None:
    code = (
        "import sys; sys.modules['pytest_asyncio'] = None\n"
        "from hybridisco.testing import fixtures\n"
        "print(hasattr(fixtures, 'mock_backend'), 'asyncio' in sys.modules, 'aiohttp' in sys.modules)"
    )

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.split() == ["False", "False", "False"]
