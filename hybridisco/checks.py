"""Carrying out the registry's checks: each endpoint is looked at by one task at a time.

What has answered before, or what the user wrote down, is looked at when it is due. What just anybody claims waits its
turn: :data:`UNKNOWN_AT_ONCE` at a time, a machine after the other, so that a flood of announcements can neither delay
what is known nor make us a flood of our own.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Collection

from hybridisco.core.liveness import HEDGE_S
from hybridisco.core.model import Announcement, Check
from hybridisco.core.ports import Checker

UNKNOWN_AT_ONCE = 24
_WAITING_LIMIT = 16384  # looks; what is beyond is due again soon

_Key = tuple[str, int, bool, str]


class Checks:
    """The checks that are being made.

    :param checker: gives the probe; asked at each check, since importing it is what takes long at the first.
    :param emit: takes what a check finds.
    """

    def __init__(self, checker: Callable[[], Awaitable[Checker]], emit: Callable[[Announcement], None]) -> None:
        self._checker = checker
        self._emit = emit
        self._running: dict[_Key, asyncio.Task[None]] = {}
        self._waiting: OrderedDict[str, deque[Check]] = OrderedDict()
        self._queued: set[_Key] = set()
        self._unknown = 0

    def look(self, check: Check) -> None:
        """Check an endpoint, unless that is being done."""
        key = check.endpoint.key
        if key in self._running:
            return
        if check.known or self._unknown < UNKNOWN_AT_ONCE:
            self._start(check)
        elif key not in self._queued and len(self._queued) < _WAITING_LIMIT:
            self._queued.add(key)
            self._waiting.setdefault(check.endpoint.address, deque()).append(check)

    async def done(self, but: Callable[[], Collection[_Key]] = frozenset) -> None:
        """Return when nothing is being checked, or nothing but what is at ``but()``."""
        while running := [task for key, task in self._running.items() if key not in but()]:
            await asyncio.wait(running)

    async def over(self, key: _Key) -> None:
        """Return when no check is being made at an endpoint."""
        while (task := self._running.get(key)) is not None:
            await asyncio.wait([task])

    async def close(self) -> None:
        """End all checks."""
        tasks = [*self._running.values()]
        self._running.clear()
        self._waiting.clear()
        self._queued.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, check: Check) -> None:
        task = self._running[check.endpoint.key] = asyncio.create_task(self._do(check))
        self._unknown += not check.known
        task.add_done_callback(lambda _: self._ended(check))

    def _ended(self, check: Check) -> None:
        self._running.pop(check.endpoint.key, None)
        self._unknown -= not check.known
        while self._waiting and self._unknown < UNKNOWN_AT_ONCE:
            address, queue = self._waiting.popitem(last=False)
            waited = queue.popleft()
            if queue:
                self._waiting[address] = queue  # at the end: the next machine's turn
            self._queued.discard(waited.endpoint.key)
            if waited.endpoint.key not in self._running:
                self._start(waited)

    async def _do(self, check: Check) -> None:
        checker = await self._checker()
        if not check.others:
            self._emit(await checker.check(check.endpoint, check.kind))
            return
        looking = asyncio.ensure_future(checker.check(check.endpoint, check.kind))
        try:
            await asyncio.wait([looking], timeout=HEDGE_S)
            if not looking.done():
                for other in check.others:
                    self.look(Check(other, check.kind))
            self._emit(await looking)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
