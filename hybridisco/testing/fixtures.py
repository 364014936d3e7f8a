"""The pytest plugin: the fixture `mock_backend`.

Every pytest run of every project that has Hybridisco installed loads this file, so it imports nothing of
weight: aiohttp and the mocks come with the first backend that a test asks for. Without pytest-asyncio there
is no fixture, and nothing else happens.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from hybridisco.testing.server import MockBackend

try:
    import pytest_asyncio
except ImportError:
    __all__: list[str] = []
else:
    __all__ = ["StartMockBackend", "mock_backend"]

    class StartMockBackend(Protocol):
        """What the fixture `mock_backend` gives a test: the arguments are those of `MockBackend`."""

        async def __call__(
            self,
            kind: str,
            *,
            host: str | Sequence[str] = "127.0.0.1",
            port: int = 0,
            fault: str | None = None,
            **options: Any,
        ) -> MockBackend: ...

    @pytest_asyncio.fixture
    async def mock_backend() -> AsyncIterator[StartMockBackend]:
        """Start mock backends: `backend = await mock_backend("comfyui", fault="busy")`.

        All are closed when the test ends. They live in the event loop of the fixture, so a test with a
        `loop_scope` of its own must set `asyncio_default_fixture_loop_scope` to the same.
        """
        async with AsyncExitStack() as running:

            async def start(kind: str, **arguments: Any) -> MockBackend:
                from hybridisco.testing.server import MockBackend

                return await running.enter_async_context(MockBackend(kind, **arguments))

            yield start
