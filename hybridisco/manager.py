"""The one place where things are wired: sources into the registry, its effects to the probe, time to both."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from hybridisco.config import Config, ManualEntry, load
from hybridisco.core.errors import DiscoveryError, UsageError
from hybridisco.core.model import (
    Announcement,
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
from hybridisco.subscribers import Subscriber
from hybridisco.trust.change import KeyChanges
from hybridisco.upkeep import Upkeep

if TYPE_CHECKING:
    from hybridisco.sources.knock import Knocked

log = logging.getLogger(__name__)

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
    :param remember: begin with what was seen on the LAN the last time, and keep what is seen for the next time, unless
        the config says no. It is in the state folder, and only used where mDNS is searched.
    :param knocked: what a knock at this machine's ports has found just now; the probe begins with that.
    :raises ConfigError: the user's file is wrong.
    :raises UsageError: there is no source of such a name.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        sources: Collection[str | Source] | None = None,
        remember: bool = True,
        knocked: Knocked | None = None,
    ) -> None:
        self._config = config or load()
        wanted = self._config.sources if sources is None else sources
        self._given = {source.name: source for source in wanted if not isinstance(source, str)}
        self._names = _source_names([source if isinstance(source, str) else source.name for source in wanted])
        self._sources: dict[SourceName, Source] = {}
        self._upkeep = Upkeep(
            self._config, self._sources, remember=remember and self._config.remember and SourceName.MDNS in self._names
        )
        self.registry = self._upkeep.registry
        self._failed: dict[SourceName, str] = {}
        self._again: dict[SourceName, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._completing: asyncio.Task[None] | None = None
        self._knocked = knocked
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
            self._upkeep.read_network()
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
        self._upkeep.look_at_everything()
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
            self._upkeep.read_pins()

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
        self._upkeep.look_around()
        # mDNS goes first: its question travels while the others are still being imported.
        for name in sorted(self._names, key=(SourceName.MDNS, SourceName.MANUAL, SourceName.PROBE).index):
            try:
                source = self._sources[name] = self._make(name)
            except ImportError as error:
                self._failed[name] = f"{name}: {error}. Install Hybridisco with all its dependencies."
                continue
            self._tasks.append(asyncio.create_task(self._run(source)))
            if name is SourceName.MDNS:  # beside its question, what answered the last time is asked itself
                self._tasks.append(asyncio.create_task(self._upkeep.recall()))
        self._tasks += [asyncio.create_task(job) for job in self._upkeep.jobs()]
        self._search()

    async def close(self) -> None:
        """End every task and close every socket. It may be started again."""
        self._started = False
        tasks = [*self._tasks, *([self._completing] if self._completing else [])]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._upkeep.close()

    def emit(self, datum: Announcement | Withdrawal) -> None:
        """Take what a source found (:class:`hybridisco.core.ports.Sink`)."""
        self._upkeep.emit(datum)

    def _make(self, name: SourceName) -> Source:
        """Import and make a source; importing is the expensive part, so it happens here."""
        if name in self._given:
            return self._given[name]
        config = self._config
        if name is SourceName.MDNS:
            from hybridisco.sources.mdns import MdnsSource

            types = {f"{service_type.rstrip('.')}.local.": kind for service_type, kind in config.mdns_types}
            return MdnsSource(types, config.interfaces, self._upkeep.verify)
        if name is SourceName.PROBE:
            from hybridisco.sources.sweep import SweepSource

            knocked, self._knocked = self._knocked, None
            return SweepSource(
                self._upkeep.get_probe,
                config.probe_hosts,
                config.probe_ports,
                config.kinds,
                config.rescan_s,
                knocked=knocked,
            )
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
        await self._upkeep.recalled()
        self._complete.set()

    async def _answered(self, sources: Collection[Source]) -> None:
        """Return when ``sources`` are settled and nothing is left to be checked."""
        waits = [asyncio.create_task(self._settled(source)) for source in sources]
        try:
            await asyncio.gather(*waits)
        finally:
            for wait in waits:
                wait.cancel()
        await self._upkeep.checked()

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
