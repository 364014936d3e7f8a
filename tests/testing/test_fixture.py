"""The pytest fixture, used as another project would, and what the plugin is without pytest-asyncio."""

from __future__ import annotations

import subprocess
import sys

import aiohttp
import pytest

from hybridisco.testing import MockBackend
from hybridisco.testing.fixtures import StartMockBackend

_left_open: list[MockBackend] = []


async def test_the_fixture_starts_as_many_as_are_asked_for(mock_backend: StartMockBackend) -> None:
    comfyui = await mock_backend("comfyui", queue=1)
    rvc = await mock_backend("rvc", fault="hang")

    assert (comfyui.kind, rvc.fault) == ("comfyui", "hang")
    assert comfyui.port != rvc.port
    _left_open.extend([comfyui, rvc])


async def test_they_are_closed_when_the_test_is_over() -> None:
    if not _left_open:
        pytest.skip("looks at what the test before left behind")
    async with aiohttp.ClientSession() as http:
        for backend in _left_open:
            with pytest.raises(aiohttp.ClientConnectorError):
                await http.get(backend.url)


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
