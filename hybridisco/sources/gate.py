"""How many places are looked at at once: so many in all, and few of them at one address.

One machine with a hundred ports that hold us up takes its own places only: everybody else is looked at meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address


class Gate:
    """Lets ``in_all`` pass at once, and ``at_one`` of them to one address, but for those of this machine.

    :param in_all: places in all.
    :param at_one: places at one address.
    """

    def __init__(self, in_all: int, at_one: int) -> None:
        self._in_all = asyncio.Semaphore(in_all)
        self._at_one = at_one
        self._addresses: dict[str, tuple[asyncio.Semaphore, list[None]]] = {}

    @asynccontextmanager
    async def passing(self, address: str) -> AsyncIterator[None]:
        """Wait for a place at ``address``, and hold it."""
        if _is_loopback(address):
            async with self._in_all:
                yield
            return
        places, users = self._addresses.setdefault(address, (asyncio.Semaphore(self._at_one), []))
        users.append(None)
        try:
            async with places, self._in_all:
                yield
        finally:
            users.pop()
            if not users:
                del self._addresses[address]


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
