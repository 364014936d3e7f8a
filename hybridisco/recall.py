"""Last-known services: claimed again at the start, looked at by unicast at once, and kept for the next start.

Theory of operation. What the memory holds becomes a *recalled* claim, which makes no service by itself. A plain TCP
connect goes first: a machine that is off then costs nothing but its own time, and aiohttp is imported only if something
is there. The sidecar that announced it is knocked at too (``live``): what it has taken back is not shown because the
backend goes on. What takes the connection is looked at like anything that is announced, and all of it at once: it is
known. From there:

==============================  =====================================================================================
what comes first                what follows
==============================  =====================================================================================
it answers as its kind          it is there, and lives as long as it answers; where it has an owner (a key), it waits
                                for the owner's word, since another machine may have its address today
mDNS (or anybody) speaks of it  what is said now holds, and the recalled claim is gone (:mod:`hybridisco.connected`)
all sources have settled        what has not answered is gone without a trace. What has, and has an owner who did not
                                speak, is shown as what a probe would have found: without the owner's id and name
==============================  =====================================================================================

A search is complete without those that take no connection: who is off delays nobody. Who takes it is waited for.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from typing import Any

from hybridisco.checks import Checks
from hybridisco.core.evidence import EndpointKey
from hybridisco.core.liveness import HEDGE_S
from hybridisco.core.model import Announcement, Check, Endpoint, EvidenceKey, Withdrawal
from hybridisco.core.txt import LIVE_GREETING
from hybridisco.memory.document import LIMIT
from hybridisco.memory.entry import REMEMBERED, Entry, entry_of
from hybridisco.memory.store import Memory
from hybridisco.registry import ServiceRegistry
from hybridisco.sources.interfaces import Interface, interface_towards, local_addresses
from hybridisco.sources.reach import Reach
from hybridisco.sources.scan import listening

log = logging.getLogger(__name__)

SAVE_EVERY_S = 60.0
_WAIT_S = 1.0  # for who takes connections but does not answer, after all sources have settled
_OWNER_FIRST_S = 0.03  # nothing is shown before an owner speaks: mostly he does so by then, and has it looked at
_LOOKS = 24  # at once: the probe makes 32, so that what is announced has its turn beside those that hang
_KNOCKS = 128  # at once; macOS gives a process 256 descriptors by default


class Recall:
    """What is remembered, as far as nobody speaks of it yet.

    :param emit: takes the claims, and takes them back.
    :param doors: how is knocked.
    """

    def __init__(
        self,
        registry: ServiceRegistry,
        checks: Checks,
        emit: Callable[[Announcement | Withdrawal], None],
        memory: Memory,
        doors: Doors | None = None,
    ) -> None:
        self._registry = registry
        self._checks = checks
        self._emit = emit
        self._memory = memory
        self._doors = doors or Doors()
        self._forget_all()

    def _forget_all(self) -> None:
        self._began = False
        self._settled = asyncio.Event()
        self._knocks, self._looks = asyncio.Semaphore(_KNOCKS), asyncio.Semaphore(_LOOKS)
        self._knocked: dict[EvidenceKey, str] = {}
        self._tasks: dict[EvidenceKey, asyncio.Task[None]] = {}
        self._sidecars: dict[tuple[str, int], asyncio.Task[bool]] = {}
        self._undecided: dict[EvidenceKey, Announcement] = {}
        self._taking: set[EvidenceKey] = set()
        self._confirmed: list[tuple[Entry, Announcement]] = []
        self._missed: set[str] = set()
        self._taken_back: list[Announcement] = []

    def begin(self, every: tuple[Interface, ...], used: tuple[Interface, ...] | None = None) -> None:
        """Claim what is remembered, as far as it is on a network that is searched.

        :param every: the interfaces of now.
        :param used: those that lead to such a network; all when None.
        """
        self._forget_all()
        self._began = True
        used = every if used is None else used
        reach, local = Reach(used), local_addresses(every)
        places: list[str] = []
        # Who is probably there is knocked at first: those that are off keep the others waiting for their turn.
        for entry in sorted(self._memory.load(), key=lambda each: (each.missed, -each.seen_at)):
            endpoints = [place for each in entry.endpoints if (place := _reached(each, used, reach)) is not None]
            if not endpoints or any(place.dial in local for place in endpoints):
                continue
            claim = replace(entry.announcement(), endpoints=tuple(endpoints))
            self._emit(claim)
            if self._registry.holds(claim.key):
                self._undecided[claim.key] = claim
                self._tasks[claim.key] = asyncio.create_task(self._follow(entry, claim))
                places.append(f"{claim.name or claim.kind} at {claim.endpoints[0].url}")
        if places:
            log.info("Looking at what was seen before: %s", ", ".join(places))

    def waiting(self) -> Collection[EndpointKey]:
        """Return the endpoints that are looked at for nobody but us."""
        own = [claim for key, claim in self._undecided.items() if self._registry.holds(key)]
        return {endpoint.key for claim in own for endpoint in claim.endpoints}

    async def settle(self) -> None:
        """All sources have settled: what is confirmed stays, and the rest goes as soon as its own look is over.

        Returns when those are looked at that take connections, or after a second.
        """
        self._settled.set()
        looked_at = [self._tasks[key] for key in self._taking if not self._tasks[key].done()]
        if looked_at:
            await asyncio.wait(looked_at, timeout=_WAIT_S)

    def note_taken_back(self, announcement: Announcement) -> None:
        """Its announcer has taken this back. Where nobody can be asked whether he is there, it is forgotten."""
        if announcement.live is None and len(self._taken_back) < LIMIT:
            self._taken_back.append(announcement)

    async def save(self) -> None:
        """Write down what is there, if that is news."""
        if not self._began:
            return
        now = time.time()
        seen, missed = self._seen(now), frozenset(self._missed)
        gone = frozenset(
            entry.ref for entry in self._memory.entries if any(_is_same(entry, told) for told in self._taken_back)
        )
        if self._memory.is_news(seen, missed, now, gone):
            await asyncio.to_thread(self._memory.update, seen, missed, now, gone)
        self._taken_back.clear()

    async def close(self) -> None:
        """End every look, and write down what is there, and who was knocked at in vain until now."""
        if self._settled.is_set():
            silent = self._knocked.keys() & self._undecided.keys() - self._taking
            self._missed |= {self._knocked[key] for key in silent if self._registry.holds(key)}
        tasks: list[asyncio.Task[Any]] = [*self._tasks.values(), *self._sidecars.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.save()
        self._forget_all()

    async def _follow(self, entry: Entry, claim: Announcement) -> None:
        """Look at all addresses of one at once, and decide when one has answered, or none."""
        proven = asyncio.Event()
        looking = asyncio.create_task(self._look_at_all(claim, proven))
        answered = asyncio.create_task(proven.wait())
        try:
            await self._settled.wait()
            await asyncio.wait([looking, answered], return_when=asyncio.FIRST_COMPLETED)
            if self._registry.holds(claim.key):
                self._decide(entry, claim, proven=proven.is_set())
            self._undecided.pop(claim.key, None)
        finally:
            looking.cancel()
            answered.cancel()
            await asyncio.gather(looking, answered, return_exceptions=True)

    async def _look_at_all(self, claim: Announcement, proven: asyncio.Event) -> None:
        """Look at the best address, and at the others too if that is slow or does not answer as it should."""
        if self._registry.has_owner(claim):
            with suppress(TimeoutError):
                async with asyncio.timeout(_OWNER_FIRST_S):
                    await self._settled.wait()
            if not self._registry.holds(claim.key):
                return
        looks = [asyncio.create_task(self._look(claim, claim.endpoints[0], proven))]
        try:
            await asyncio.wait(looks, timeout=HEDGE_S)
            if not proven.is_set():
                looks += [asyncio.create_task(self._look(claim, each, proven)) for each in claim.endpoints[1:]]
                await asyncio.gather(*looks)
        finally:
            for look in looks:
                look.cancel()
            await asyncio.gather(*looks, return_exceptions=True)

    async def _look(self, claim: Announcement, endpoint: Endpoint, proven: asyncio.Event) -> None:
        async with self._knocks:
            self._knocked.setdefault(claim.key, claim.ref.removeprefix(REMEMBERED))
            takes, ended = await asyncio.gather(self._doors.takes(endpoint), self._has_ended(endpoint, claim.live))
            if ended or not takes:
                return
        if not self._registry.holds(claim.key):
            return  # its source speaks for it, and has it looked at
        self._taking.add(claim.key)
        async with self._looks:
            self._checks.look(Check(endpoint, claim.kind))
            await self._checks.over(endpoint.key)
        if self._registry.answers_as(endpoint.key, claim.kind):
            proven.set()

    async def _has_ended(self, endpoint: Endpoint, port: int | None) -> bool:
        """Whether the sidecar has ended; it is asked once for all its backends."""
        if port is None:
            return False
        place = (endpoint.dial, port)
        if place not in self._sidecars:
            self._sidecars[place] = asyncio.create_task(self._doors.ended(*place))
        return await asyncio.shield(self._sidecars[place])

    def _decide(self, entry: Entry, claim: Announcement, *, proven: bool) -> None:
        """No source has spoken of it: it is shown as what answers there, or it is gone."""
        shown = claim
        if self._registry.has_owner(claim):
            shown = Announcement(claim.source, claim.ref, claim.endpoints, kind=claim.kind, recalled=True)
        if not proven:
            self._missed.add(entry.ref)
        if not proven or self._registry.has_owner(shown):  # where only pinned keys count, somebody always has it
            self._emit(Withdrawal(claim.source, claim.ref))
            return
        self._confirmed.append((entry, claim))
        if shown != claim:
            self._emit(shown)

    def _seen(self, now: float) -> list[Entry]:
        """Return what is there now and worth to be kept."""
        told = (entry_of(service, announcement, now) for service, announcement in self._registry.announced())
        seen = [entry for entry in told if entry is not None]
        for entry, claim in self._confirmed:
            alive = any(self._registry.answers_as(endpoint.key, claim.kind) for endpoint in claim.endpoints)
            if alive and self._registry.holds(claim.key):
                seen.append(replace(entry, seen_at=int(now), missed=0, missed_at=0))
        return seen


def _is_same(entry: Entry, announcement: Announcement) -> bool:
    """Whether an entry is what was announced."""
    if entry.id is not None or announcement.id is not None:
        return entry.id == announcement.id
    return bool({each.key for each in entry.endpoints} & {each.key for each in announcement.endpoints})


class Doors:
    """How is knocked: the part that knows the network."""

    async def takes(self, endpoint: Endpoint) -> bool:
        """Return whether an endpoint takes connections."""
        return bool(await listening([(endpoint.dial, endpoint.port)], local=False))

    async def ended(self, address: str, port: int) -> bool:
        """Return whether there is no sidecar any more: refused, or somebody else. Behind a firewall nobody can tell."""
        try:
            async with asyncio.timeout(HEDGE_S):
                reader, writer = await asyncio.open_connection(address, port, limit=256)
                try:
                    return await reader.readexactly(len(LIVE_GREETING)) != LIVE_GREETING
                finally:
                    writer.close()
        except ConnectionRefusedError:
            return True
        except (OSError, EOFError):  # TimeoutError is an OSError
            return False


def _reached(endpoint: Endpoint, every: tuple[Interface, ...], reach: Reach) -> Endpoint | None:
    """Return an endpoint with the interface that leads to it now; None if none does.

    At home or in a café nobody is asked at the studio's addresses: another machine may have them there.
    """
    link = endpoint.interface if endpoint.link_local else interface_towards(every, endpoint.address)
    if link is None or link not in {each.name for each in every} or not reach([(endpoint.address, link)]):
        return None
    return replace(endpoint, interface=link)
