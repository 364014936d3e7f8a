"""The keys that this user knows, and those that were refused: two small files in the state folder.

``known_keys`` is what counts. ``refused_keys`` only notes what was seen and not believed, so that a person who knows
that a box was set up anew can say ``hybridisco trust accept ID`` without typing a key.

Every change is made the same way: the file is locked against other writers, read, changed, and put in place in one
step. So two processes lose nothing of each other's, and a reader sees the old file or the new one. Changes wait for
the lock and the disk (some milliseconds; five seconds at the worst): keep them off an event loop. Looking does not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from hybridisco.config import state_folder
from hybridisco.config.lock import alone
from hybridisco.core import safe
from hybridisco.core.errors import ConfigError, UsageError
from hybridisco.trust import file as files
from hybridisco.trust import lines
from hybridisco.trust.lines import Known, Page, fingerprint
from hybridisco.trust.refused import RefusedKeys

__all__ = ["KEYS_LIMIT", "Known", "KnownKeys", "Merged", "checked", "default_file", "fingerprint"]

KEYS_LIMIT = 4096  # a large studio has some hundred; who floods a LAN with new ids must not fill the disk

_HEAD = b"""\
# The keys of sidecars that Hybridisco knows on this machine: id, kind of key, key, known since, name.
# `hybridisco trust --help` tells how to change them; editing is fine, too.
"""


def default_file() -> Path:
    """Return where the known keys are, or would be. :raises ConfigError: the user has no home folder."""
    return state_folder() / "known_keys"


@dataclass(frozen=True, slots=True)
class Merged:
    """What an import did.

    ``added`` are new; ``same`` counts those that were known already. ``conflicts`` are pairs of the known one and
    another key for its id: the known ones stay, or, if that was forced, the pairs are in ``replaced``. ``warnings``
    tell of lines that are not understood.
    """

    added: tuple[Known, ...] = ()
    same: int = 0
    conflicts: tuple[tuple[Known, Known], ...] = ()
    replaced: tuple[tuple[Known, Known], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """A file as it was when it was read."""

    page: Page
    mark: files.Mark
    whole: bool

    @classmethod
    def of(cls, path: Path) -> _Read:
        """Read it. :raises ConfigError: that is not possible."""
        data, mark, whole = files.read(path)
        return cls(lines.read(data), mark, whole)


class KnownKeys:
    """The known keys in ``path``, and the refused ones beside it.

    Times (``since``) are seconds since the epoch; keys are base64 without padding, as in an announcement.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: _Read | None = None
        self._keys: Mapping[str, Known] = MappingProxyType({})
        self._refused = RefusedKeys(path.with_name("refused_keys"))
        self._unreadable: tuple[str, ...] = ()

    # Looking

    def load(self) -> Mapping[str, Known]:
        """Read the file now, and return what it says. :raises ConfigError: it cannot be read."""
        now = _Read.of(self.path)
        self._read, self._keys, self._unreadable = now, MappingProxyType(now.page.keys), ()
        return self._keys

    def keys(self) -> Mapping[str, Known]:
        """Return id → key, read anew if the file changed. Never raises: :attr:`warnings` and :attr:`intact` tell.

        A damaged line that has an id counts as a key that nobody has (``Known.damaged``): it is not pinned anew.
        If the file cannot be read any more, what it said before holds.
        """
        if self.changed():
            mark = files.mark(self.path)
            try:
                self.load()
            except ConfigError as error:
                before = self._read.page if self._read else Page()
                self._read = _Read(before, mark, whole=False)
                self._unreadable = (str(error),)
        return self._keys

    def changed(self) -> bool:
        """Whether the file differs from what was read last: by another process, or by a change made here. Cheap."""
        return self._read is None or files.mark(self.path) != self._read.mark

    @property
    def intact(self) -> bool:
        """Whether all of the file could be read. Where not, an id that seems new may be a known one."""
        return self._read is not None and self._read.whole

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the file as it was read last, for people, each with its line."""
        if self._read is None or self._unreadable:
            return self._unreadable
        told = self._read.page.warnings(str(self.path))
        if not self._read.whole:
            told = (*told, str(_too_large(self.path)))
        if len(self._keys) > KEYS_LIMIT:
            told = (*told, str(_too_many(self.path, len(self._keys))))
        return told

    def text(self) -> str:
        """Return all keys for export, ordered by name. :raises ConfigError: the file cannot be read."""
        good = [entry for entry in self.load().values() if not entry.damaged]
        good.sort(key=lambda entry: (entry.name.casefold(), entry.id))
        return (_HEAD + b"".join(lines.line_of(entry) + b"\n" for entry in good)).decode()

    # Changing

    def pin(self, service_id: str, key: str, name: str, since: float) -> bool:
        """Know a key from now on, unless its id has one. Returns whether that is new.

        :raises ConfigError: the file cannot be read or written, or is full.
        """
        return bool(self.pin_all([Known(service_id, key, since, name)]))

    def pin_all(self, entries: Iterable[Known]) -> frozenset[str]:
        """Pin several in one step; returns the ids that are new.

        :raises ConfigError: the file cannot be read or written; or it is full, after as many as fit were pinned.
        """
        wanted = {entry.id: checked(entry) for entry in entries}
        pinned: list[Known] = []
        missed = 0

        def change(page: Page) -> Page:
            nonlocal missed
            known = page.keys
            new = [entry for service_id, entry in wanted.items() if service_id not in known]
            pinned.extend(islice(new, max(0, KEYS_LIMIT - len(known))))
            missed = len(new) - len(pinned)
            return page.having(pinned)

        self._change(change)
        if missed:
            raise _too_many(self.path, KEYS_LIMIT)
        return frozenset(entry.id for entry in pinned)

    def accept(self, service_id: str, key: str, name: str, since: float) -> None:
        """Know this key, whatever was known before; its id is not refused any more.

        :raises ConfigError: the file cannot be read or written, or is full.
        """
        entry = checked(Known(service_id, key, since, name))
        self._change(lambda page: page.having([entry]))
        self._forget_refused({service_id})

    def remove(self, service_id: str) -> bool:
        """Forget the key of an id. Returns whether there was one. :raises ConfigError: as above."""
        had: list[bool] = []

        def change(page: Page) -> Page:
            had.append(service_id in page.keys)
            return page.without({service_id})

        self._change(change)
        if had[0]:
            self._forget_refused({service_id})
        return had[0]

    def merge(self, text: str | bytes, *, force: bool = False, source: str = "import") -> Merged:
        """Add the keys that ``text`` has, and tell what came of it. ``source`` is its name in warnings.

        A known id keeps its key unless ``force`` is set. Everything is added, or nothing.

        :raises ConfigError: the file cannot be read or written, or all would be too much.
        """
        data = text.encode("utf-8", "replace") if isinstance(text, str) else text
        if len(data) > files.SIZE_LIMIT:
            raise ConfigError(f"It has more than {files.SIZE_LIMIT} bytes: it is no list of keys.", file=source)
        told = lines.read(data)
        result = Merged()

        def change(page: Page) -> Page:
            nonlocal result
            known = page.keys
            new = [entry for entry in told.keys.values() if not entry.damaged]
            added = tuple(entry for entry in new if entry.id not in known)
            differ = tuple((known[e.id], e) for e in new if e.id in known and known[e.id].key != e.key)
            kept, replaced = ((), differ) if force else (differ, ())
            same = len(new) - len(added) - len(differ)
            result = Merged(added, same, kept, replaced, told.warnings(source))
            return page.having([*added, *(entry for _, entry in replaced)])

        self._change(change)
        self._forget_refused({entry.id for entry in result.added} | {entry.id for _, entry in result.replaced})
        return result

    def _change(self, change: Callable[[Page], Page]) -> None:
        files.make_folder(self.path)
        with alone(self.path):
            old = _Read.of(self.path)
            if not old.whole:
                raise _too_large(self.path)
            page = change(old.page)
            if page.lines == old.page.lines:
                return
            if len(page.keys) > max(KEYS_LIMIT, len(old.page.keys)):
                raise _too_many(self.path, len(page.keys))
            data = page.text() if old.page.lines else _HEAD + page.text()
            if len(data) > max(files.SIZE_LIMIT, len(old.page.text())):
                raise _too_large(self.path)
            files.replace(self.path, data)

    # What was refused

    def refused(self) -> tuple[Known, ...]:
        """Return the keys that were refused, oldest first. :raises ConfigError: they cannot be read."""
        return self._refused.entries()

    def note_refused(self, service_id: str, key: str, name: str, since: float) -> bool:
        """Note a key that was not believed. Returns whether that is news; what is no news costs nothing.

        The oldest are dropped: there are 8 of one id and 256 of all at the most.

        :raises ConfigError: it cannot be written.
        """
        return self._refused.note(checked(Known(service_id, key, since, name)))

    def _forget_refused(self, ids: Collection[str]) -> None:
        with suppress(ConfigError):  # they are only notes: the change that made them out of date is done
            self._refused.forget(ids)


def checked(entry: Known) -> Known:
    """Return what can be written down. :raises UsageError: it cannot."""
    if safe.service_id(entry.id) is None:
        raise UsageError(f"{ascii(entry.id)[:80]} is not the id of a service. `hybridisco list --ids` shows the ids.")
    if not lines.is_key(entry.key):
        raise UsageError(
            f"{ascii(entry.key)[:60]} is not a public key: 43 characters of base64 are wanted, without padding. "
            "`hybridisco trust export` on a machine that knows it prints it."
        )
    return entry


def _too_large(path: Path) -> ConfigError:
    return ConfigError(
        f"It has more than {files.SIZE_LIMIT} bytes, or would have. Remove what you do not know with your editor; no "
        "key can be added until then.",
        file=path,
    )


def _too_many(path: Path, number: int) -> ConfigError:
    return ConfigError(
        f"It has {number} keys, and {KEYS_LIMIT} are allowed: somebody probably announces services that do not exist. "
        "`hybridisco trust list` shows them, and `hybridisco trust remove` or your editor removes them.",
        file=path,
    )
