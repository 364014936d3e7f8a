"""What the tests of the mocks share: the plugin's own fixture, and an HTTP client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio

# By name rather than by entry point, so that a checkout that was never installed runs its tests too.
from hybridisco.testing.fixtures import mock_backend

__all__ = ["mock_backend"]


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that gives up after 5 s, far longer than any mock needs here."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5.0)) as session:
        yield session
