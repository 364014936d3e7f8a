"""The sidecar: keeps the announcements of this machine's backends true, on whatever network the machine is.

Theory of operation. Each backend has a task that looks at it every few seconds and then makes the network agree with
what is wanted: announce, change, withdraw. A finder tells of backends that come, where the user has not named one. All
of them share one set of sockets, which follows the network: when that has changed, every backend is looked at at once,
and what stays the same is repeated, since nobody on a new network has heard it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from announcers.assignment import Assignment
from announcers.backend import Backend
from announcers.engine import Engine
from announcers.gpu import Gpu
from announcers.health import CHECK_EVERY_S
from announcers.identity import service_id
from announcers.naming import free_name
from announcers.network import State, forget, state
from announcers.presence import Presence
from announcers.signing import Signer
from hybridisco import HybridiscoError, Kind, NetworkInterface, NetworkWatch, Probe

log = logging.getLogger(__name__)

_SPREAD = 0.1  # the random part of the interval: the sidecars of a studio switched on at once do not stay in step
_REPEAT_EVERY_S = 2.0  # an interface that comes and goes must not make a storm


class Sidecar:
    """Announces backends by health until it is stopped.

    :param kinds: all kinds, for telling what answers.
    :param folder: where ids are kept.
    :param gpu: what the box has.
    :param changed: called whenever something has changed that a monitor may want to know.
    """

    def __init__(
        self,
        kinds: tuple[Kind, ...],
        folder: Path,
        gpu: Gpu | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.backends: dict[tuple[str, int], Backend] = {}
        self.network: State = ()
        self._probe = Probe(kinds)
        self._titles = {kind.id: kind.title for kind in kinds}
        self._folder = folder
        self._signer = Signer(folder)
        self._presence = Presence()
        self._gpu = gpu
        self._changed = changed
        self._engine: Engine | None = None
        self._engine_lock = asyncio.Lock()
        self._links: tuple[NetworkInterface, ...] = ()
        self._tasks: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._wake: dict[tuple[str, int], asyncio.Event] = {}
        self._running = False
        self._spoke = False
        self._fatal: HybridiscoError | None = None
        self._repeated_at = 0.0
        self._repeating: asyncio.Task[None] | None = None

    @property
    def fingerprint(self) -> str | None:
        """That of the key that it signs with."""
        return self._signer.fingerprint

    # -- which backends -------------------------------------------------------------------------------

    def add(self, job: Assignment, *, found: bool = False) -> Backend:
        """Look after one more backend.

        :param found: it is forgotten when it is gone, rather than waited for.
        :raises AnnounceError: its id cannot be kept.
        """
        key = (job.kind.id, job.port)
        name = free_name(job, {backend.name for backend in self.backends.values()})
        backend = Backend(
            job,
            service_id(self._folder, *key),
            name,
            self._titles,
            self._gpu,
            found=found,
            signer=self._signer,
            presence=self._presence,
        )
        self.backends[key] = backend
        self._wake[key] = asyncio.Event()
        self.network = state(self._links_now())  # that a backend has come is no change of the network
        return backend

    async def remove(self, key: tuple[str, int]) -> None:
        """Look after a backend no longer; it is withdrawn."""
        backend = self.backends.pop(key, None)
        self._wake.pop(key, None)
        task = self._tasks.pop(key, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if backend is not None:
            was_announced = backend.announced is not None
            await self._withdraw(backend)
            if was_announced:
                backend.say(f"Withdrawn: {backend.name}")
            self._changed()

    def tends(self, port: int) -> bool:
        """Whether a backend at this port is looked after."""
        return any(known == port for _, known in self.backends)

    # -- running --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the announcements true until cancelled; then say goodbye.

        :raises AnnounceError: nothing could be announced from the start on.
        """
        self._running = True
        try:
            await self._presence.open()
            with NetworkWatch() as watch:
                self.network = state(self._links_now())
                self._start_tasks()
                while True:
                    slept = await watch.stirred()
                    forget()
                    if self._fatal is not None:
                        raise self._fatal
                    now = state(self._links_now())
                    if slept or now != self.network:
                        await self._network_changed(now, slept)
        finally:
            self._running = False
            await asyncio.shield(self.close())

    async def step(self) -> None:
        """Look at every backend once."""
        await asyncio.gather(*(self._step(backend) for backend in list(self.backends.values())))

    async def close(self) -> None:
        """Say goodbye for everything and close everything."""
        tasks = [*self._tasks.values(), *([self._repeating] if self._repeating else [])]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        announced = [backend for backend in self.backends.values() if backend.announced is not None]
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.close()
        await self._presence.close()  # only now: who hears the goodbye first is not alarmed
        for backend in announced:
            backend.note_withdrawn()
            backend.say(f"Withdrawn: {backend.name}; goodbye.")
        if not announced:
            log.info("Stopped.")
        await self._probe.close()

    def wake(self) -> None:
        """Begin to look after what was added."""
        if self._running:
            self._start_tasks()

    def _start_tasks(self) -> None:
        for key, backend in self.backends.items():
            if key not in self._tasks:
                self._tasks[key] = asyncio.create_task(self._tend(key, backend))

    async def _tend(self, key: tuple[str, int], backend: Backend) -> None:
        """Look at one backend every few seconds, and at once when the network has changed."""
        wake = self._wake[key]
        while True:
            wake.clear()
            try:
                await self._step(backend)
            except HybridiscoError as error:  # no socket, no free name: it is tried again
                if self._engine is None and not self._spoke:
                    self._fatal = error  # from the start on: whoever started us is to know
                    return
                backend.say(f"Not announced: {error}")
            except Exception:  # a task that ended would take the backend off the network for good
                log.warning("A look at port %d went wrong; it is repeated.", backend.job.port, exc_info=True)
            if backend.found and backend.gone:
                log.info("%s on port %d is gone.", backend.job.kind.title, backend.job.port)
                await self.remove(key)
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_EVERY_S * random.uniform(1 - _SPREAD, 1 + _SPREAD)):
                    await wake.wait()

    async def _step(self, backend: Backend) -> None:
        """Look once, and announce, change or withdraw accordingly."""
        before = (backend.phase, backend.status, backend.reason, backend.announced)
        await backend.look(self._probe, time.monotonic())
        if backend.due(time.monotonic()):
            if backend.wanted is None:
                await self._withdraw(backend)
                backend.say(f"Withdrawn: {backend.name}")
            elif backend.announced is None:
                engine = await self._get_engine()
                name = await engine.announce(backend.wanted)
                if engine is self._engine:  # else the network went away meanwhile, and with it the announcement
                    backend.note_announced(name, time.monotonic())
            else:
                engine = await self._get_engine()
                await engine.update(backend.wanted)
                backend.note_announced(backend.name, time.monotonic())
        if backend.announced is None:
            backend.explain()
        if before != (backend.phase, backend.status, backend.reason, backend.announced):
            self._changed()

    async def _withdraw(self, backend: Backend) -> None:
        """Take a backend off the network."""
        instance = backend.announced or backend.wanted  # it may be on its way
        backend.note_withdrawn()
        if instance is not None and self._engine is not None:
            await self._engine.withdraw(instance)

    # -- the network ----------------------------------------------------------------------------------

    def _links_now(self) -> tuple[NetworkInterface, ...]:
        """Return the interfaces on which any backend may be announced."""
        links = {link.index: link for backend in self.backends.values() for link in backend.job.links()}
        return tuple(link for _, link in sorted(links.items()) if not link.loopback)

    async def _get_engine(self) -> Engine:
        """Return the sockets; they are opened when there is something to say for the first time."""
        async with self._engine_lock:
            links = self._links_now()
            if self._engine is None:
                self._engine, self._links = Engine(links, self._note_renamed), links
                self._spoke = True
            elif links != self._links:
                self._links = links
                await self._engine.move(links)
            return self._engine

    async def _network_changed(self, now: State, slept: bool) -> None:
        """Follow the network: other sockets where need be, a look at every backend, and everything said again."""
        log.debug("%s", "This machine was asleep." if slept else _what_changed(self.network, now))
        self.network = now
        if self._engine is not None:
            async with self._engine_lock:
                self._links = tuple(link for link, _ in now)
                if self._links:
                    await self._engine.move(self._links)
            if not self._links:
                await self._lose_network()
        for wake in self._wake.values():
            wake.set()
        if self._engine is not None and (self._repeating is None or self._repeating.done()):
            self._repeating = asyncio.create_task(self._repeat())
        self._changed()

    async def _lose_network(self) -> None:
        """Close the sockets: there is nobody to say goodbye to, and the next network may be another one."""
        engine, self._engine = self._engine, None
        for backend in self.backends.values():
            backend.note_withdrawn()
        if engine is not None:
            await engine.close()

    async def _repeat(self) -> None:
        await asyncio.sleep(max(0.0, self._repeated_at + _REPEAT_EVERY_S - time.monotonic()))
        self._repeated_at = time.monotonic()
        if self._engine is not None:
            await self._engine.repeat()

    def _note_renamed(self, key: str, name: str) -> None:
        for backend in self.backends.values():
            if backend.id == key:
                backend.name = name
        self._changed()


def _what_changed(before: State, now: State) -> str:
    """Return a change of the network in words."""
    old, new = ({link.name: (link, carrier) for link, carrier in each} for each in (before, now))
    parts = [f"{name} is new" for name in new if name not in old]
    parts += [f"{name} is gone" for name in old if name not in new]
    parts += [f"{name} changed" for name in new if name in old and new[name] != old[name]]
    return f"The network has changed: {', '.join(parts) or 'it is as it was'}."
