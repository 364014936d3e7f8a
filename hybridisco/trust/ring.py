"""The known keys as a running discovery uses them: looked up at once, written in the background.

Writing waits for a lock and the disk, so it is done in a thread of its own; reading is a few microseconds unless the
file has changed. A file that cannot be read or written is no reason to stop: it is said once, and what was known holds.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from hybridisco.core.errors import HybridiscoError
from hybridisco.core.model import Announcement, Pin, Proof
from hybridisco.core.trust import FIRST_USE, OFF
from hybridisco.trust.lines import Known
from hybridisco.trust.store import KnownKeys, default_file

log = logging.getLogger(__name__)

_FLUSH_S = 2.0
_REMEMBERED = 256  # refused keys that are known to be noted
_WAITING = 64  # jobs; each takes some milliseconds
_NOBODY = "?"  # the key of a line that is damaged: no key is equal to it


class KeyRing:
    """Whose keys are known.

    :param mode: the setting ``trust.mode``; with ``off`` nothing is read, checked or written.
    """

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._store: KnownKeys | None = None
        self._pins: Mapping[str, str] = {}
        self._jobs: queue.Queue[Callable[[], object]] = queue.Queue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._noted: dict[tuple[str, str], None] = {}
        self._said: set[str] = set()

    def read(self) -> Mapping[str, str] | None:
        """Return the keys by id if they have changed since the last call, else None. Never raises."""
        if self._mode == OFF:
            return None
        try:
            if self._store is None:
                self._store = KnownKeys(default_file())
            elif not self._store.changed():
                return None
            known = self._store.keys()
        except HybridiscoError as error:  # there is no home folder
            self._say(str(error))
            return None
        for warning in self._store.warnings:
            self._say(warning)
        self._pins = {entry.id: _NOBODY if entry.damaged else entry.key for entry in known.values()}
        return self._pins

    def pin(self, pins: Iterable[Pin]) -> None:
        """Remember keys that were seen for the first time."""
        entries = [Known(pin.id, pin.key, time.time(), pin.name) for pin in pins]
        store = self._store
        if self._mode != FIRST_USE or store is None or not store.intact or not entries:
            return
        for entry in entries:
            log.info("The key of %s (%s) is remembered", entry.name, entry.id)
        self._soon(lambda: store.pin_all(entries))

    def note(self, announcement: Announcement) -> None:
        """Note the key of an announcement that is not believed, so that the user can accept it by its id."""
        a, store = announcement, self._store
        if a.proof is not Proof.SIGNED or not a.signer or not a.id or store is None or self._pins.get(a.id) == a.signer:
            return
        wrong = a.id in self._pins or self._mode != FIRST_USE
        if not wrong or (a.id, a.signer) in self._noted:
            return
        self._noted[a.id, a.signer] = None
        while len(self._noted) > _REMEMBERED:
            del self._noted[next(iter(self._noted))]
        name, service_id, signer = a.name or a.id, a.id, a.signer
        self._soon(lambda: store.note_refused(service_id, signer, name, time.time()))

    def verify(self, key: bytes, signature: bytes, message: bytes) -> bool | None:
        """Check a signature; None where that cannot be done."""
        if self._mode == OFF:
            return None
        from hybridisco.trust import ed25519  # the libraries take 50 ms to import

        return ed25519.verify(key, signature, message)

    def flush(self) -> None:
        """Wait until everything is written, for two seconds at the most."""
        thread = self._thread
        if thread is not None:
            thread.join(_FLUSH_S)

    def _soon(self, job: Callable[[], object]) -> None:
        with self._lock:
            if self._jobs.qsize() >= _WAITING:
                return  # somebody sends key after key; each that is believed comes again
            self._jobs.put(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="hybridisco-keys", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            with suppress(queue.Empty):
                job = self._jobs.get(timeout=0.0)
                try:
                    job()
                except (HybridiscoError, OSError) as error:
                    self._say(str(error))
                continue
            with self._lock:
                if self._jobs.empty():
                    self._thread = None
                    return

    def _say(self, trouble: str) -> None:
        if trouble not in self._said:
            self._said.add(trouble)
            log.warning("%s", trouble)
