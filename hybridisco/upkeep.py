"""Keeping the registry true while time passes: looks, this machine's network, sleep, and the keys that are known."""

from __future__ import annotations

import asyncio
import importlib
import logging
import math
import random
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from hybridisco.checks import Checks
from hybridisco.clock import SteadyClock
from hybridisco.config import Config
from hybridisco.core.liveness import WAKE_SPREAD_S
from hybridisco.core.model import Announcement, Change, Check, SourceName, Withdrawal
from hybridisco.core.ports import Source
from hybridisco.memory.store import Memory, default_file
from hybridisco.recall import SAVE_EVERY_S, Recall
from hybridisco.registry import ServiceRegistry
from hybridisco.sources.interfaces import carries_traffic, interfaces, local_addresses, usable
from hybridisco.sources.watch import NetworkWatch
from hybridisco.trust.ring import KeyRing

if TYPE_CHECKING:
    from hybridisco.sources.probe import HttpProbe

log = logging.getLogger(__name__)

_TICK_S = 0.5
_PINS_EVERY_S = 1.0  # how soon `hybridisco trust accept` is noticed
_ASK_AGAIN_S = 10.0  # at most so often because something that was silent answers again
_SETTLE_S = 0.05  # after a change of the network: what belongs to it comes within milliseconds


class Upkeep:
    """A registry, and what keeps it true.

    :param sources: those that run; the one for mDNS is told what to ask about.
    :param remember: keep what is seen on the LAN for the next start.
    """

    def __init__(self, config: Config, sources: Mapping[SourceName, Source], *, remember: bool = True) -> None:
        self.registry = ServiceRegistry(config.kinds, config.trust_mode)
        self._config = config
        self._sources = sources
        self._clock = SteadyClock()
        self._keyring = KeyRing(config.trust_mode)
        self._links: frozenset[str] = frozenset()  # interfaces that have carried something
        self._probe: HttpProbe | None = None
        self._probe_lock = asyncio.Lock()
        self._checks = Checks(self.get_probe, self.emit)
        memory = Memory(default_file()) if remember else None
        self._recall = Recall(self.registry, self._checks, self.emit, memory) if memory else None
        self._later: set[asyncio.TimerHandle] = set()

    def emit(self, datum: Announcement | Withdrawal) -> None:
        """Take what a source or a look found."""
        if isinstance(datum, Announcement):
            self._keyring.note(datum)
        elif self._recall is not None and (said := self.registry.said(datum.key)) is not None:
            self._recall.note_taken_back(said)
        self._carry_out(self.registry.apply(datum, self._clock.now()))

    def verify(self, key: bytes, signature: bytes, message: bytes) -> bool | None:
        """Check a signature; None where that cannot be done."""
        return self._keyring.verify(key, signature, message)

    def look_around(self) -> None:
        """Read this machine's network, and the keys that are known."""
        self.read_network()
        self.read_pins()

    def look_at_everything(self) -> None:
        """Look at every endpoint that is claimed."""
        for check in self.registry.due(math.inf):  # at the end of time every check is due
            self._checks.look(check)

    async def recall(self) -> None:
        """Claim what is remembered from the last run, and look at it."""
        if self._recall is not None:
            every = interfaces()
            self._recall.begin(every, usable(every, self._config.interfaces))

    async def checked(self) -> None:
        """Return when nothing is being looked at, or nothing but what is only remembered."""
        await self._checks.done(self._recall.waiting if self._recall else frozenset)

    async def recalled(self) -> None:
        """All sources have settled: return when what is remembered and takes connections was looked at, too."""
        if self._recall is not None:
            await self._recall.settle()
            await self.checked()  # what was only remembered a moment ago may be announced now

    def jobs(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """Return what is to be run for as long as the registry is to be true."""
        return (self._pass_time(), self._follow_network(), self._keep())

    async def close(self) -> None:
        """End every look, and wait for the keys to be written."""
        for handle in self._later:
            handle.cancel()
        self._later.clear()
        if self._recall is not None:
            await self._recall.close()
        await self._checks.close()
        await asyncio.to_thread(self._keyring.flush)
        if self._probe is not None:
            await self._probe.close()
            self._probe = None

    async def get_probe(self) -> HttpProbe:
        """Return the probe; aiohttp takes 0.2 s to import, and the loop goes on meanwhile."""
        async with self._probe_lock:
            if self._probe is None:
                module = await asyncio.to_thread(importlib.import_module, ".sources.probe", __package__)
                self._probe = module.HttpProbe(self._config.kinds, self._config.probe_timeout_s)
        return self._probe

    def read_network(self) -> None:
        """Tell the registry of this machine's own addresses, and of interfaces that carry nothing."""
        every = interfaces()
        # A switch for containers carries something also when the cable is pulled.
        carrying = frozenset(i.name for i in every if not i.loopback and not i.virtual and carries_traffic(i.name))
        self._links |= carrying
        offline = bool(self._links) and not carrying
        lost = self._links - carrying
        local = local_addresses(every)
        self._carry_out(self.registry.set_network(local, self._clock.now(), lost=lost, offline=offline))

    def read_pins(self) -> None:
        """Take over the keys that are known, if their file has changed."""
        pins = self._keyring.read()
        if pins is not None:
            self._carry_out(self.registry.set_pins(pins, self._clock.now()))

    def _carry_out(self, change: Change) -> None:
        """Do what a change of the registry asks for: look, ask, remember a key."""
        for check in change.checks:
            self._checks.look(check)
        reconfirm = getattr(self._sources.get(SourceName.MDNS), "reconfirm", None)
        if reconfirm is not None:
            for ref in change.doubts:
                reconfirm(ref)
        if change.pins:
            self._keyring.pin(change.pins)

    async def _pass_time(self) -> None:
        """Let time pass in the registry, and make the checks that are due."""
        pins_at = recovered_at = spread_until = 0.0
        while True:
            await asyncio.sleep(_TICK_S)
            woke = self._clock.slept()
            now = self._clock.now()
            if woke:
                log.info("This machine was asleep; everything is looked at again.")
                self._look_later(self.registry.wake(now).checks)
                spread_until = now + WAKE_SPREAD_S
            self._carry_out(self.registry.tick(now))
            if now >= spread_until:
                for check in self.registry.due(now):
                    self._checks.look(check)
            if self.registry.recovered_at - recovered_at >= _ASK_AGAIN_S:
                recovered_at = self.registry.recovered_at
                if (ask_again := getattr(self._sources.get(SourceName.MDNS), "ask_again", None)) is not None:
                    ask_again()
            if now - pins_at >= _PINS_EVERY_S:
                pins_at = now
                self.read_pins()

    def _look_later(self, checks: tuple[Check, ...]) -> None:
        """Look at all of these within a moment, rather than in one instant."""
        loop = asyncio.get_running_loop()
        self._later = {loop.call_later(random.uniform(0.0, WAKE_SPREAD_S), self._checks.look, each) for each in checks}

    async def _keep(self) -> None:
        """Write down what is there, now and then."""
        while self._recall is not None:
            await asyncio.sleep(SAVE_EVERY_S)
            await self._recall.save()

    async def _follow_network(self) -> None:
        with NetworkWatch(settle_s=_SETTLE_S) as watch:
            while True:
                await watch.stirred()
                self.read_network()
