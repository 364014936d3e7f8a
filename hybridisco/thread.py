"""Discovery for synchronous hosts such as Blender: the manager in a daemon thread with a loop of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from hybridisco.core.errors import DiscoveryError
from hybridisco.core.model import Snapshot, SourceName, SourceState
from hybridisco.subscribers import Subscriber, Subscribers

if TYPE_CHECKING:
    from hybridisco.config import Config, ManualEntry
    from hybridisco.core.ports import Source
    from hybridisco.manager import ServiceDiscoveryManager
    from hybridisco.trust.change import KeyChange, KeyChanges

log = logging.getLogger(__name__)

#: Something to be done in the thread.
_Job = Callable[["ServiceDiscoveryManager"], None]


class DiscoveryThread:
    """Keeps a registry true in the background. Every method may be called from any thread and returns at once.

    ::

        discovery = DiscoveryThread()
        discovery.start()
        ...                        # in a timer: has discovery.revision changed? then read discovery.snapshot
        discovery.stop()

    The network libraries are imported in the thread: :meth:`start` costs the caller a millisecond.

    The parameters are those of :class:`~hybridisco.manager.ServiceDiscoveryManager`.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        sources: Collection[str | Source] | None = None,
        remember: bool = True,
    ) -> None:
        self._config = config
        self._remember = remember
        self._source_names = sources
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._manager: ServiceDiscoveryManager | None = None
        self._stop: asyncio.Event | None = None
        self._wanted_stop = threading.Event()
        self._subscribers = Subscribers()
        self._live: ServiceDiscoveryManager | None = None  # while it runs; the last one stays readable
        self._jobs: deque[_Job] = deque()
        self._changes: KeyChanges | None = None
        self.error: Exception | None = None
        """Why the thread ended by itself, if it did."""

    def __enter__(self) -> DiscoveryThread:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def revision(self) -> int:
        """The number of the current snapshot. Takes no lock: fit to be asked in every frame."""
        manager = self._manager
        return manager.registry.revision if manager else 0

    @property
    def snapshot(self) -> Snapshot:
        """What is known now; empty before the thread is ready."""
        manager = self._manager
        return manager.snapshot if manager else Snapshot()

    @property
    def complete(self) -> bool:
        """Whether everything has answered since the start or the last :meth:`rescan`. Takes no lock either."""
        manager = self._manager
        return manager is not None and not self._jobs and manager.complete

    @property
    def states(self) -> tuple[tuple[SourceName, SourceState], ...]:
        """How each source is doing. It takes no lock; it changes without a new revision."""
        manager = self._manager
        return manager.states if manager else ()

    def start(self) -> None:
        """Start the thread.

        :raises DiscoveryError: it is running already.
        """
        if self.running:
            raise DiscoveryError("Discovery is running already. Stop it before you start it again.")
        self.error = None
        self._wanted_stop.clear()
        self._thread = threading.Thread(target=self._main, name="hybridisco", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """End the thread and wait for it; returns whether it ended in time.

        A subscriber may call this too: then the thread ends once the subscriber has returned.
        """
        self._wanted_stop.set()
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            _call_in(loop, stop.set)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        return not self.running

    def rescan(self) -> None:
        """Look at everything again now. From this call on :attr:`complete` is False until all has answered."""
        self._soon(lambda manager: manager.rescan())

    def set_services(self, entries: Sequence[ManualEntry]) -> None:
        """Take other manual entries from now on, in the place of all that there were; each is checked at once."""
        self._config = None if self._config is None else replace(self._config, services=tuple(entries))
        self._soon(lambda manager: manager.set_services(entries))

    def key_changes(self, service_id: str) -> tuple[KeyChange, ...]:
        """Return the keys of an untrusted service that were refused, with what a person compares."""
        from hybridisco.trust.change import KeyChanges

        self._changes = self._changes or KeyChanges()
        return self._changes.of(service_id)

    def accept_key(self, service_id: str, key: str | None = None) -> Future[None]:
        """Trust the key of an untrusted service from now on; the file is written in the background.

        What is returned tells when that is done, or what went wrong (see
        :meth:`~hybridisco.manager.ServiceDiscoveryManager.accept_key`, also for the parameters).
        """
        loop, manager = self._loop, self._live
        if loop is not None and manager is not None:
            work = manager.accept_key(service_id, key)
            try:
                return asyncio.run_coroutine_threadsafe(work, loop)
            except RuntimeError:  # the loop has ended by itself
                work.close()
        failed: Future[None] = Future()
        failed.set_exception(DiscoveryError("Discovery is not running. Start it, and try again."))
        return failed

    def _soon(self, job: _Job) -> None:
        """Do something in the thread, as soon as that has a manager. Until it is done, nothing is complete."""
        if not self.running:
            return  # what starts later looks at everything, with the config of then
        self._jobs.append(job)
        loop = self._loop
        if loop is not None:
            _call_in(loop, self._do_jobs)

    def _do_jobs(self) -> None:
        while self._live is not None and self._jobs:
            try:
                self._jobs[0](self._live)
            finally:
                self._jobs.popleft()

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call ``subscriber(events, snapshot)`` in the discovery thread after every change.

        Subscribe before :meth:`start` to miss nothing. Returns how to stop it.
        """
        return self._subscribers.add(subscriber)

    def _main(self) -> None:
        try:
            asyncio.run(self._run())
        except Exception as error:
            log.exception("The discovery thread ended")
            self.error = error
        finally:
            self._loop = self._stop = self._live = None
            self._jobs.clear()

    async def _run(self) -> None:
        from hybridisco.manager import ServiceDiscoveryManager

        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        if self._wanted_stop.is_set():  # stop() was called while the imports above were running
            return
        async with ServiceDiscoveryManager(
            self._config, sources=self._source_names, remember=self._remember
        ) as manager:
            manager.subscribe(self._subscribers.tell)
            self._manager = self._live = manager
            self._do_jobs()
            running = asyncio.create_task(manager.run())
            stopping = asyncio.create_task(self._stop.wait())
            try:
                await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._live = None
                stopping.cancel()
                running.cancel()
                await asyncio.gather(stopping, return_exceptions=True)
            with suppress(asyncio.CancelledError):
                await running  # raises what ended it, if it was not us


def _call_in(loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> None:
    """Call in another thread's loop, unless that has ended meanwhile."""
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:
        log.debug("The loop has ended by itself.")
