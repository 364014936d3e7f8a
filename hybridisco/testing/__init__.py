"""Mock backends: ComfyUI, Wan2GP, LiteLLM, RVC and AudioLDM without a GPU, for a first try and for tests.

A mock answers the cheap questions a prober asks (who are you, which version, how busy) as the real program
does, byte shapes and status codes included; it makes no pictures. It can also go wrong on request.

    from hybridisco.testing import MockBackend

    async with MockBackend("comfyui", queue=3) as backend:
        ...                          # probe backend.url
        backend.set_fault("hang")    # and see what the prober does now
        assert ("GET", "/system_stats") in backend.calls

In pytest the fixture `mock_backend` (found by itself once Hybridisco and pytest-asyncio are installed) closes
what the test started:

    async def test_a_deep_queue_is_busy(mock_backend):
        backend = await mock_backend("comfyui", fault="busy")

`MOCK_KINDS` names what can be mocked, `FAULTS` what can go wrong (name -> one line of meaning).

Names are loaded on first use: importing this package costs no aiohttp, since pytest imports it (for the
fixture) in every run of every project that has Hybridisco installed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hybridisco.testing.backends import MOCK_KINDS
    from hybridisco.testing.faults import FAULTS
    from hybridisco.testing.server import MockBackend

__all__ = ["FAULTS", "MOCK_KINDS", "MockBackend"]

_HOMES: Final = {
    "FAULTS": "hybridisco.testing.faults",
    "MOCK_KINDS": "hybridisco.testing.backends",
    "MockBackend": "hybridisco.testing.server",
}


def __getattr__(name: str) -> object:
    """Load a public name from the module that holds it.

    Raises:
        AttributeError: there is no such name.
    """
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
