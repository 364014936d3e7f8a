"""The one place where things are wired: sources into the registry, its effects to the probe, time to both."""

from __future__ import annotations

import asyncio
import importlib
import logging
import math
import random
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from hybridisco.checks import Checks
from hybridisco.clock import SteadyClock
from hybridisco.config import Config, ManualEntry, load
from hybridisco.core.errors import DiscoveryError, UsageError
from hybridisco.core.liveness import WAKE_SPREAD_S
from hybridisco.core.model import (
    Announcement,
    Change,
    Check,
    Event,
    Service,
    Snapshot,
    SourceName,
    SourceState,
    Withdrawal,
    status_rank,
)
from hybridisco.core.ports import Source
from hybridisco.core.target import Target
from hybridisco.kinds import get as find_kind
from hybridisco.registry import ServiceRegistry
from hybridisco.sources.interfaces import carries_traffic, interfaces, local_addresses
from hybridisco.sources.watch import NetworkWatch
from hybridisco.subscribers import Subscriber
from hybridisco.trust.change import KeyChanges
from hybridisco.trust.ring import KeyRing

if TYPE_CHECKING:
    from hybridisco.sources.probe import HttpProbe

log = logging.getLogger(__name__)

_TICK_S = 0.5
_PINS_EVERY_S = 1.0  # how soon `hybridisco trust accept` is noticed
_ASK_AGAIN_S = 10.0  # at most so often because something that was silent answers again
_SETTLE_S = 0.05  # after a change of the network: what belongs to it comes within milliseconds
_LOOK_S = 0.1  # how often a source that is waited for is asked whether it has failed
_RESTART_S = 5.0  # after a source failed; doubled each time
_RESTART_LIMIT_S = 300.0
_OFF = SourceState("off")


class ServiceDiscoveryManager:
    """Discovery as an async context manager. All its methods belong to one event loop.

    ::

        async with ServiceDiscoveryManager() as manager:
            for service in await manager.discover_all_services():
                print(service.name, service.url)

    :param config: the user's settings; their file is read when this is None.
    :param sources: the sources to use, instead of those of the config: ``mdns``, ``probe``, ``manual``, or a
        :class:`~hybridisco.core.ports.Source` of your own that takes the place of the one with its name.
    :raises ConfigError: the user's file is wrong.
    :raises UsageError: there is no source of such a name.
    """

    def __init__(self, config: Config | None = None, *, sources: Collection[str | Source] | None = None) -> None:
        self._config = config or load()
        wanted = self._config.sources if sources is None else sources
        self._given = {source.name: source for source in wanted if not isinstance(source, str)}
        self._names = _source_names([source if isinstance(source, str) else source.name for source in wanted])
        self.registry = ServiceRegistry(self._config.kinds, self._config.trust_mode)
        self._clock = SteadyClock()
        self._links: frozenset[str] = frozenset()  # interfaces that have carried something
        self._keyring = KeyRing(self._config.trust_mode)
        self._sources: dict[SourceName, Source] = {}
        self._failed: dict[SourceName, str] = {}
        self._again: dict[SourceName, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._completing: asyncio.Task[None] | None = None
        self._probe: HttpProbe | None = None
        self._probe_lock = asyncio.Lock()
        self._checks = Checks(self._get_probe, self.emit)
        self._started = False
        self._started_at = time.monotonic()
        self._complete = asyncio.Event()

    async def __aenter__(self) -> ServiceDiscoveryManager:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # -- for users ------------------------------------------------------------------------------------

    async def discover_all_services(
        self, timeout_s: float | None = None, until: Callable[[Snapshot], bool] | None = None
    ) -> Snapshot:
        """Return what there is, as soon as the answer is complete, or at the timeout.

        :param timeout_s: seconds; the config's ``discovery.timeout_s`` when None.
        :param until: asked after each change; True ends the search early. It then also does *not* end when
            all is quiet, but waits for it until the timeout.
        :raises DiscoveryError: no source could be run.
        """
        self.start()
        limit_s = self._config.timeout_s if timeout_s is None else timeout_s
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await (self._until(until) if until else self._complete.wait())
        troubles = [self._state(name) for name in self._names]
        if troubles and all(state.state == "error" for state in troubles) and not self.registry.snapshot():
            raise DiscoveryError("Discovery could not run. " + " ".join(state.detail or "" for state in troubles))
        return self.snapshot

    async def discover_service(self, kind: str, timeout_s: float | None = None) -> Service | None:
        """Return the best service of a kind that can be used, as soon as one is found.

        It may still be starting, so None comes only at the timeout (the config's ``discovery.timeout_s`` when None).

        :param kind: the id of a kind, or another name of it.
        :raises UsageError: there is no such kind.
        """
        wanted = find_kind(self._config.kinds, kind)
        mapped = {mapped_kind for _, mapped_kind in self._config.mdns_types}
        if wanted is None and kind not in mapped:
            raise UsageError(f"There is no kind {kind!r}. There are {', '.join(k.id for k in self._config.kinds)}.")
        kind = wanted.id if wanted else kind

        def best(snapshot: Snapshot) -> Service | None:
            usable = [service for service in snapshot if service.kind == kind and service.usable]
            return min(usable, key=lambda s: (status_rank(s.status), s.latency_ms or 0.0), default=None)

        return best(await self.discover_all_services(timeout_s, until=lambda snapshot: best(snapshot) is not None))

    async def check(self, target: Target, kind: str | None = None, *, url: str | None = None) -> Snapshot:
        """Look at one address that somebody names now, as if it stood in the config."""
        from hybridisco.sources.manual import ManualSource

        entry = ManualEntry(kind=kind, target=target, name=None, url=url or f"{target.host}:{target.port}")
        source = ManualSource([entry], self._config.kinds)
        if not self._started:
            self._read_network()
        self._sources.setdefault(source.name, source)
        running = asyncio.create_task(self._run(source))
        self._tasks.append(running)
        try:
            await self._answered([source])
        finally:
            running.cancel()
            if running in self._tasks:  # not if we were closed meanwhile
                self._tasks.remove(running)
        if not self._started:
            self._complete.set()
        return self.snapshot

    async def run(self) -> None:
        """Keep the registry true until cancelled."""
        self.start()
        await asyncio.gather(*self._tasks)

    async def events(self) -> AsyncIterator[Event]:
        """Yield each change from now on, for ever."""
        queue: asyncio.Queue[Event] = asyncio.Queue()

        def put(events: tuple[Event, ...], _: Snapshot) -> None:
            for event in events:
                queue.put_nowait(event)

        unsubscribe = self.subscribe(put)
        try:
            self.start()
            while True:
                yield await queue.get()
        finally:
            unsubscribe()

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call ``subscriber(events, snapshot)`` after every change; returns how to stop that."""
        return self.registry.subscribe(subscriber)

    def rescan(self) -> None:
        """Look at everything again now, also at what was silent for so long that it is looked at seldom.

        The snapshot is complete again when all has answered. Does nothing before :meth:`start`.
        """
        if not self._started:
            return
        for source in self._sources.values():
            again = getattr(source, "rescan", None)
            if again is not None:
                again()
        for failed in self._again.values():
            failed.set()
        for check in self.registry.due(math.inf):  # at the end of time every check is due
            self._checks.look(check)
        self._search()

    def set_services(self, entries: Sequence[ManualEntry]) -> None:
        """Take other manual entries from now on, in the place of all that there were; each is checked at once."""
        self._config = replace(self._config, services=tuple(entries))
        source = self._sources.get(SourceName.MANUAL)
        follow = getattr(source, "set_entries", None)
        if follow is not None and self._started:
            follow(self._config.services)
            self._search()

    async def accept_key(self, service_id: str, key: str | None = None) -> None:
        """Trust the key of an untrusted service from now on; it is written, and believed, when this returns.

        :param service_id: the id of the service, or the one that it is announced by.
        :param key: the key that is meant, in base64. Without, there must be just one that was refused.
        :raises UsageError: no such key was refused, or several were.
        :raises ConfigError: it cannot be written.
        """
        await asyncio.to_thread(KeyChanges().accept, service_id, key)
        if self._started:
            self._read_pins()

    @property
    def snapshot(self) -> Snapshot:
        """What is known now, and how each source is doing."""
        elapsed_s = round(time.monotonic() - self._started_at, 3)
        return replace(self.registry.snapshot(), sources=self.states, complete=self.complete, elapsed_s=elapsed_s)

    @property
    def states(self) -> tuple[tuple[SourceName, SourceState], ...]:
        """How each source is doing. They change without a new revision of the registry."""
        return tuple((name, self._state(name)) for name in SourceName)

    # -- wiring ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the sources, once. Called by everything that needs them."""
        if self._started:
            return
        self._started = True
        self._failed.clear()
        self._read_network()
        self._read_pins()
        # mDNS goes first: its question travels while the others are still being imported.
        for name in sorted(self._names, key=(SourceName.MDNS, SourceName.MANUAL, SourceName.PROBE).index):
            try:
                source = self._sources[name] = self._make(name)
            except ImportError as error:
                self._failed[name] = f"{name}: {error}. Install Hybridisco with all its dependencies."
                continue
            self._tasks.append(asyncio.create_task(self._run(source)))
        self._tasks += [asyncio.create_task(job) for job in (self._pass_time(), self._follow_network())]
        self._search()

    async def close(self) -> None:
        """End every task and close every socket. It may be started again."""
        self._started = False
        tasks = [*self._tasks, *([self._completing] if self._completing else [])]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._checks.close()
        await asyncio.to_thread(self._keyring.flush)
        if self._probe is not None:
            await self._probe.close()
            self._probe = None

    def emit(self, datum: Announcement | Withdrawal) -> None:
        """Take what a source found (:class:`hybridisco.core.ports.Sink`)."""
        if isinstance(datum, Announcement):
            self._keyring.note(datum)
        self._carry_out(self.registry.apply(datum, self._clock.now()))

    def _carry_out(self, change: Change, *, spread_s: float = 0.0) -> None:
        """Do what a change of the registry asks for: look, ask, remember a key.

        :param spread_s: begin the looks within so many seconds, rather than in one instant.
        """
        loop = asyncio.get_running_loop()
        for check in change.checks:
            if spread_s:
                loop.call_later(random.uniform(0.0, spread_s), self._look_if_started, check)
            else:
                self._checks.look(check)
        if change.doubts and (reconfirm := getattr(self._sources.get(SourceName.MDNS), "reconfirm", None)) is not None:
            for ref in change.doubts:
                reconfirm(ref)
        if change.pins:
            self._keyring.pin(change.pins)

    def _look_if_started(self, check: Check) -> None:
        if self._started:
            self._checks.look(check)

    def _make(self, name: SourceName) -> Source:
        """Import and make a source; importing is the expensive part, so it happens here."""
        if name in self._given:
            return self._given[name]
        config = self._config
        if name is SourceName.MDNS:
            from hybridisco.sources.mdns import MdnsSource

            types = {f"{service_type.rstrip('.')}.local.": kind for service_type, kind in config.mdns_types}
            return MdnsSource(types, config.interfaces, self._keyring.verify)
        if name is SourceName.PROBE:
            from hybridisco.sources.sweep import SweepSource

            return SweepSource(self._get_probe, config.probe_hosts, config.probe_ports, config.kinds, config.rescan_s)
        from hybridisco.sources.manual import ManualSource

        return ManualSource(config.services, config.kinds)

    async def _run(self, source: Source) -> None:
        """Run a source; if it fails, say so, go on with the others, and try again a while later or at a rescan."""
        pause_s: float | None = _RESTART_S
        while True:
            try:
                await source.run(self)
                if source.state.state != "error":
                    return
                self._failed[source.name] = source.state.detail or ""
                pause_s = None  # it has given up: only somebody who mended something knows that it is worth a try
            except Exception as error:
                pause_s = pause_s or _RESTART_S
                cause = _innermost(error)
                log.warning("The source %s failed (%s: %s)", source.name, type(cause).__name__, cause)
                log.debug("It is started again in %.0f s", pause_s, exc_info=True)
                self._failed[source.name] = f"{source.name}: {cause}."
            again = self._again[source.name] = asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await again.wait()
            pause_s = min((pause_s or _RESTART_S) * 2, _RESTART_LIMIT_S)
            self._failed.pop(source.name, None)

    async def _pass_time(self) -> None:
        """Let time pass in the registry, and make the checks that are due."""
        pins_at = recovered_at = spread_until = 0.0
        while True:
            await asyncio.sleep(_TICK_S)
            woke = self._clock.slept()
            now = self._clock.now()
            if woke:
                log.info("This machine was asleep; everything is looked at again.")
                self._carry_out(self.registry.wake(now), spread_s=WAKE_SPREAD_S)
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
                self._read_pins()

    async def _follow_network(self) -> None:
        """Keep the registry told of this machine's own addresses, and of interfaces that carry nothing."""
        with NetworkWatch(settle_s=_SETTLE_S) as watch:
            while True:
                await watch.stirred()
                self._read_network()

    def _read_network(self) -> None:
        every = interfaces()
        # A switch for containers carries something also when the cable is pulled.
        carrying = frozenset(i.name for i in every if not i.loopback and not i.virtual and carries_traffic(i.name))
        self._links |= carrying
        offline = bool(self._links) and not carrying
        lost = self._links - carrying
        local = local_addresses(every)
        self._carry_out(self.registry.set_network(local, self._clock.now(), lost=lost, offline=offline))

    def _read_pins(self) -> None:
        """Take over the keys that are known, if their file has changed."""
        pins = self._keyring.read()
        if pins is not None:
            self._carry_out(self.registry.set_pins(pins, self._clock.now()))

    async def _get_probe(self) -> HttpProbe:
        """Return the probe; aiohttp takes 0.2 s to import, and the loop goes on meanwhile."""
        async with self._probe_lock:
            if self._probe is None:
                module = await asyncio.to_thread(importlib.import_module, ".sources.probe", __package__)
                self._probe = module.HttpProbe(self._config.kinds, self._config.probe_timeout_s)
        return self._probe

    # -- when is an answer complete -------------------------------------------------------------------

    @property
    def complete(self) -> bool:
        """Whether everything that was asked has answered since the last :meth:`start` or :meth:`rescan`."""
        return self._complete.is_set()

    def _search(self) -> None:
        """The answer is not complete from now on, until everything has answered."""
        if self._completing is not None:
            self._completing.cancel()
        self._started_at = time.monotonic()
        self._complete.clear()
        self._completing = asyncio.create_task(self._complete_when_answered())

    async def _complete_when_answered(self) -> None:
        await self._answered(tuple(self._sources.values()))
        self._complete.set()

    async def _answered(self, sources: Collection[Source]) -> None:
        """Return when ``sources`` are settled and nothing is left to be checked."""
        waits = [asyncio.create_task(self._settled(source)) for source in sources]
        try:
            await asyncio.gather(*waits)
        finally:
            for wait in waits:
                wait.cancel()
        await self._checks.done()

    async def _settled(self, source: Source) -> None:
        """Wait until a source is settled or has failed."""
        settled = asyncio.create_task(source.settled())
        try:
            while not settled.done() and source.name not in self._failed:
                await asyncio.wait([settled], timeout=_LOOK_S)
        finally:
            settled.cancel()

    async def _until(self, wanted: Callable[[Snapshot], bool]) -> None:
        enough = asyncio.Event()

        def look(_: tuple[Event, ...], snapshot: Snapshot) -> None:
            if wanted(snapshot):
                enough.set()

        unsubscribe = self.subscribe(look)
        try:
            if not wanted(self.registry.snapshot()):
                await enough.wait()
        finally:
            unsubscribe()

    def _state(self, name: SourceName) -> SourceState:
        # Also asked in other threads, while the loop's own changes these: so each is read once.
        failed, source = self._failed.get(name), self._sources.get(name)
        if failed is not None:
            return SourceState("error", failed)
        return source.state if source else _OFF


def _source_names(names: Collection[str]) -> tuple[SourceName, ...]:
    """Return each source once. :raises UsageError: there is none of this name."""
    unknown = [name for name in names if name not in tuple(SourceName)]
    if unknown:
        raise UsageError(f"There is no source {unknown[0]!r}. The sources are {', '.join(SourceName)}.")
    return tuple(dict.fromkeys(SourceName(name) for name in names))


def _innermost(error: BaseException) -> BaseException:
    """Return the error that a task group wrapped."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
