"""A sidecar from its start to its end: signals, settings, the status file, and the service manager."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from os import getpid
from pathlib import Path
from typing import Any

from announcers import gpu
from announcers.assignment import Assignment
from announcers.backend import Backend, machine_name
from announcers.finder import Finder, Plan
from announcers.service import notify
from announcers.sidecar import Sidecar
from announcers.status import SCHEMA, TOUCH_S, StatusFile
from hybridisco import AnnounceError, HybridiscoError, Probe, __version__

log = logging.getLogger(__name__)

_GPU_LIMIT_S = 5.0  # a driver takes a second, the first time
_SWEEP_LIMIT_S = 20.0
_RETRY_S = 30.0  # after an id could not be kept
_SWEEP_EVERY_S = 10.0  # 220 ports at two addresses take 8 ms: a thousandth of a core
_NOTHING = (
    "No backend runs on this machine yet that could be announced. Start one; it is announced as soon as it answers."
)
_REFUSED = "Backends were found, but none could be announced: see above."


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be announced: ``fixed`` backends that the user named, or all that ``plan`` allows."""

    plan: Plan
    fixed: tuple[Assignment, ...] = ()


class Runner:
    """Runs one sidecar.

    :param read: gives the task; asked again at SIGHUP, when it may raise a ConfigError.
    :param folder: where ids are kept.
    :param status: where to say what is done.
    """

    def __init__(self, read: Callable[[], Task], folder: Path, status: Path) -> None:
        self._read = read
        self._task = read()
        self._folder = folder
        self._status = StatusFile(status)
        self._started = _now()
        self._sidecar: Sidecar | None = None
        self._probe: Probe | None = None
        self._finder: Finder | None = None
        self._finding: asyncio.Task[None] | None = None
        self._reloading: asyncio.Task[None] | None = None
        self._refused: dict[tuple[str, int], float] = {}  # until when, by the monotonic clock
        self._lock = asyncio.Lock()
        self._stop: Callable[[int], None] = lambda number: None

    async def run(self) -> int:
        """Run until stopped; return the signal that did it."""
        loop = asyncio.get_running_loop()
        stopped: asyncio.Future[int] = loop.create_future()

        def stop(number: int) -> None:
            if not stopped.done():
                stopped.set_result(number)

        self._stop = stop
        for wanted in (signal.SIGINT, signal.SIGTERM):
            _on_signal(loop, wanted, stop)
        hangup = getattr(signal, "SIGHUP", None)
        if hangup is not None:
            _on_signal(loop, hangup, lambda _: self._reload())
        box = await self._read_gpu(stopped)
        self._probe = Probe(self._task.plan.kinds)
        self._sidecar = Sidecar(self._task.plan.kinds, self._folder, box, self._note)
        running = [asyncio.create_task(job) for job in (self._announce(self._sidecar), self._beat())]
        for task in running:
            task.add_done_callback(lambda _: stop(0))  # it only ends by itself with an error
        try:
            number = await stopped
            for task in [*running, *([self._finding] if self._finding else [])]:
                if task.done():
                    await task
            return number
        finally:
            notify.stopping()
            ending = [*running, *(task for task in (self._finding, self._reloading) if task)]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)
            await self._probe.close()
            self._status.remove()

    async def _announce(self, sidecar: Sidecar) -> None:
        await self._apply(sidecar)
        running = asyncio.create_task(sidecar.run())
        try:
            if self._finder is not None and await self._first_sweep(self._finder) and not sidecar.backends:
                log.info("%s", _REFUSED if self._refused else _NOTHING)
            notify.ready(self._summary())
            await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _apply(self, sidecar: Sidecar) -> None:
        """Look after what the task names and no longer after the rest; what stays the same is not touched."""
        task = self._task
        await self._stop_finding()
        self._refused.clear()
        fixed = {(job.kind.id, job.port): job for job in task.fixed}
        for key, backend in list(sidecar.backends.items()):
            old = backend.job
            found = None if fixed else task.plan.job(old.kind.id, old.port, tls=old.tls, path=old.path)
            if old != (found if backend.found else fixed.get(key)):
                await sidecar.remove(key)
        for key, job in fixed.items():
            if key not in sidecar.backends:
                log.info("Looking at %s on port %d …", job.kind.title, job.port)
                sidecar.add(job)
        sidecar.wake()
        if not fixed:
            log.info("Looking for backends on this machine …")
            self._finder = Finder(task.plan, self._get_probe, self._found, sidecar.tends, _SWEEP_EVERY_S)
            self._finding = asyncio.create_task(self._finder.run())
            self._finding.add_done_callback(self._finding_ended)
        self._note()

    async def _stop_finding(self) -> None:
        finding, self._finding, self._finder = self._finding, None, None
        if finding is not None:
            finding.cancel()
            await asyncio.gather(finding, return_exceptions=True)

    def _finding_ended(self, finding: asyncio.Task[None]) -> None:
        """End with the finder's error: a sidecar that finds nothing any more must not look as if it ran."""
        if not finding.cancelled() and finding.exception() is not None:
            self._stop(0)

    @staticmethod
    async def _first_sweep(finder: Finder) -> bool:
        """Wait for the first sweep; returns whether it came to its end in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SWEEP_LIMIT_S):
                return await finder.settled.wait()
        return False

    async def _get_probe(self) -> Probe:
        assert self._probe is not None
        return self._probe

    def _found(self, job: Assignment) -> None:
        """Look after a backend that was found."""
        key, now = (job.kind.id, job.port), time.monotonic()
        if self._sidecar is None or self._sidecar.tends(job.port) or now < self._refused.get(key, 0.0):
            return
        try:
            self._sidecar.add(job, found=True)
        except AnnounceError as error:  # its id cannot be kept
            level = logging.DEBUG if key in self._refused else logging.ERROR
            self._refused[key] = now + _RETRY_S
            log.log(level, "Not announced: %s on port %d: %s", job.kind.title, job.port, error)
            return
        self._refused.pop(key, None)
        self._sidecar.wake()

    def _reload(self) -> None:
        """Read the settings again; what they no longer ask for is withdrawn. Wrong settings change nothing."""
        notify.reloading()
        try:
            self._task = self._read()
        except HybridiscoError as error:
            log.error("The settings stay as they were: %s", error)
            notify.ready(self._summary())
            return
        self._reloading = asyncio.create_task(self._take_over())

    async def _take_over(self) -> None:
        """Do what the newest settings say. One after the other: somebody may send SIGHUP twice."""
        async with self._lock:
            if self._sidecar is not None:
                await self._apply(self._sidecar)
                log.info("The settings were read again.")
        notify.ready(self._summary())

    async def _beat(self) -> None:
        """Tell the service manager that we live, and touch the status file."""
        interval_s = min(notify.watchdog_interval_s() or TOUCH_S, TOUCH_S)
        touched = time.monotonic()
        while True:
            await asyncio.sleep(interval_s)
            notify.watchdog()
            if time.monotonic() - touched >= TOUCH_S - 1:
                touched = time.monotonic()
                self._status.touch()
                self._note()

    async def _read_gpu(self, stopped: asyncio.Future[int]) -> gpu.Gpu | None:
        """Return what the box has. A driver that hangs holds up neither the announcements for long nor our end."""
        loop = asyncio.get_running_loop()
        told: asyncio.Future[gpu.Gpu | None] = loop.create_future()

        def tell(found: gpu.Gpu | None) -> None:
            if not told.done():
                told.set_result(found)

        def read() -> None:
            found = gpu.read()
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(tell, found)

        threading.Thread(target=read, name="gpu", daemon=True).start()
        await asyncio.wait((told, stopped), timeout=_GPU_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
        if told.done():
            return told.result()
        if not stopped.done():
            log.warning("The GPU's driver does not answer; what the backends themselves report is announced.")
        told.cancel()
        return None

    # -- what is told ---------------------------------------------------------------------------------

    def _note(self) -> None:
        if self._sidecar is not None:
            self._status.write(self._document(self._sidecar))
            notify.status(self._summary())

    def _summary(self) -> str:
        backends = self._sidecar.backends.values() if self._sidecar else ()
        announced = sum(backend.announced is not None for backend in backends)
        return f"{announced} of {len(backends)} backends announced"

    def _document(self, sidecar: Sidecar) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "pid": getpid(),
            "version": __version__,
            "started": self._started,
            "host": machine_name(),
            "fingerprint": sidecar.fingerprint,
            "interfaces": [link.name for link, _ in sidecar.network],
            "backends": [_told(backend) for _, backend in sorted(sidecar.backends.items())],
        }


def _told(backend: Backend) -> dict[str, Any]:
    announced = backend.announced
    return {
        "id": backend.id,
        "kind": backend.job.kind.id,
        "port": backend.job.port,
        "name": backend.name,
        "state": "announced" if announced else "withdrawn" if backend.phase == "withdrawn" else "waiting",
        "status": backend.status,
        "reason": None if announced else backend.reason,
        "addresses": list(announced.addresses) if announced else [],
        "since": datetime.fromtimestamp(backend.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _on_signal(loop: asyncio.AbstractEventLoop, number: int, call: Callable[[int], object]) -> None:
    try:
        loop.add_signal_handler(number, call, number)
    except NotImplementedError:  # Windows' loops have none; Python calls ours, and this wakes the loop
        signal.signal(number, lambda got, _: loop.call_soon_threadsafe(call, got))
