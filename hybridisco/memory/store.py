"""The file of last-known services, which several processes share. Nothing in here is worth stopping a search for.

Reading is a few microseconds for each entry. Writing waits for a lock and the disk: keep it off an event loop.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from hybridisco.config import regular, state_folder
from hybridisco.config.atomic import put
from hybridisco.config.lock import alone
from hybridisco.core.errors import ConfigError
from hybridisco.memory import document, rules
from hybridisco.memory.entry import Entry

log = logging.getLogger(__name__)

_MODE = 0o600  # which machines somebody knows is nobody else's business
_LOCK_LIMIT_S = 1.0  # it is only a memory: who cannot write now writes another time


def default_file() -> Path | None:
    """Return where the last-known services are, or would be; None if the user has no home folder."""
    with suppress(ConfigError):
        return state_folder() / "last_known.json"
    return None


class Memory:
    """The last-known services in ``file``; without one, nothing is known and nothing is kept."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._entries: tuple[Entry, ...] = ()
        self._said: set[str] = set()

    def load(self) -> tuple[Entry, ...]:
        """Return what is in the file. Never raises: what is damaged is left out."""
        self._entries = self._read().entries
        return self._entries

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What the file said when it was last read."""
        return self._entries

    def is_news(
        self, seen: Iterable[Entry], missed: Collection[str], now: float, taken_back: Collection[str] = ()
    ) -> bool:
        """Whether :meth:`update` would probably write. Cheap."""
        return self._file is not None and rules.updated(self._entries, seen, missed, now, taken_back) != self._entries

    def update(
        self, seen: Iterable[Entry], missed: Collection[str], now: float, taken_back: Collection[str] = ()
    ) -> None:
        """Write down what was seen and what was missed, beside what other processes wrote meanwhile. Never raises.

        What the parameters mean, :func:`~hybridisco.memory.rules.updated` tells.

        :param now: seconds since the epoch, by the wall clock.
        """
        file = self._file
        if file is None:
            return
        try:
            real = file.resolve()
            real.parent.mkdir(parents=True, exist_ok=True)
            with alone(file, limit_s=_LOCK_LIMIT_S):
                page = self._read()
                if page.foreign:
                    return
                entries = rules.updated(page.entries, seen, missed, now, taken_back)
                if entries != page.entries or page.dropped:
                    put(real, document.write(entries), new_mode=_MODE)
                self._entries = entries
        except (OSError, RuntimeError, ValueError, ConfigError) as error:  # RuntimeError: links in a circle
            self._say(f"The last-known services could not be written to {file} ({error}). The search goes on without.")

    def _read(self) -> document.Page:
        try:
            data = _octets(self._file) if self._file is not None else b""
        except (OSError, RuntimeError, ValueError) as error:  # ValueError: a NUL in the path
            self._say(f"The last-known services in {self._file} cannot be read ({error}). The search goes on without.")
            return document.Page()
        page = document.read(data)
        if page.foreign:
            self._say(f"{self._file} was written by a newer version. It is left alone, and not used.")
        elif page.dropped:
            self._say(f"Not all in {self._file} can be right: {page.dropped} of it is left out, and written anew.")
        return page

    def _say(self, trouble: str) -> None:
        """Say it once; it is nothing that a user must know."""
        if trouble not in self._said:
            self._said.add(trouble)
            log.info("%s", trouble)


def _octets(file: Path) -> bytes:
    """Return what is in ``file``; what is too large to be ours is damaged. :raises OSError: it cannot be read."""
    try:
        data, _ = regular.read(file, document.SIZE_LIMIT)
    except FileNotFoundError:
        return b""
    return data if len(data) <= document.SIZE_LIMIT else b"?"
