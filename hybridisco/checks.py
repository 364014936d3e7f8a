"""Carrying out the registry's checks: each endpoint is looked at by one task at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hybridisco.core.model import Announcement, Check
from hybridisco.core.ports import Checker


class Checks:
    """The checks that are being made.

    :param checker: gives the probe; asked at each check, since importing it is what takes long at the first.
    :param emit: takes what a check finds.
    """

    def __init__(self, checker: Callable[[], Awaitable[Checker]], emit: Callable[[Announcement], None]) -> None:
        self._checker = checker
        self._emit = emit
        self._running: dict[tuple[str, int, bool, str], asyncio.Task[None]] = {}

    def look(self, check: Check) -> None:
        """Check an endpoint, unless that is being done."""
        key = check.endpoint.key
        if key not in self._running:
            task = self._running[key] = asyncio.create_task(self._do(check))
            task.add_done_callback(lambda _: self._running.pop(key, None))

    async def done(self) -> None:
        """Return when nothing is being checked."""
        while self._running:
            await asyncio.wait(self._running.values())

    async def close(self) -> None:
        """End all checks."""
        tasks = [*self._running.values()]
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(self, check: Check) -> None:
        checker = await self._checker()
        self._emit(await checker.check(check.endpoint, check.kind))
