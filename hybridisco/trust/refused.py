"""Keys that were seen and not believed: notes, so that a person can accept one without typing it.

They are bounded, since anybody on the LAN can have keys refused, and nothing is lost with them: what is still there is
refused, and noted, again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from hybridisco.config.lock import alone
from hybridisco.trust import file as files
from hybridisco.trust import lines
from hybridisco.trust.lines import Known

_LIMIT = 256
_LIMIT_OF_ONE = 8  # or one id's many keys would push out all others

_HEAD = b"""\
# Keys that were refused, for `hybridisco trust accept`. They are not trusted; this file can be removed at any time.
"""


class RefusedKeys:
    """The notes in ``path``, read anew when the file changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mark: files.Mark = None
        self._entries: tuple[Known, ...] = ()

    def entries(self) -> tuple[Known, ...]:
        """Return them, oldest first. :raises ConfigError: they cannot be read."""
        mark = files.mark(self.path)
        if mark is None or mark != self._mark:
            self._entries, self._mark = self._look()
        return self._entries

    def note(self, entry: Known) -> bool:
        """Add one, and return whether it is news; what is none costs nothing.

        :raises ConfigError: it cannot be written.
        """
        if _has(self.entries(), entry):
            return False
        files.make_folder(self.path)
        with alone(self.path):
            there, _ = self._look()
            if _has(there, entry):
                return False
            of_it = [other for other in there if other.id == entry.id]
            dropped = of_it[: max(0, len(of_it) + 1 - _LIMIT_OF_ONE)]
            self._write([*(other for other in there if other not in dropped), entry][-_LIMIT:])
        return True

    def forget(self, ids: Collection[str]) -> None:
        """Drop the notes of some ids. :raises ConfigError: that is not possible."""
        if not any(entry.id in ids for entry in self.entries()):
            return
        with alone(self.path):
            there, _ = self._look()
            self._write(entry for entry in there if entry.id not in ids)

    def _look(self) -> tuple[tuple[Known, ...], files.Mark]:
        data, mark, _ = files.read(self.path)
        page = lines.read(data)
        return tuple(entry for entry in page.entries if entry is not None and not entry.damaged), mark

    def _write(self, entries: Iterable[Known]) -> None:
        files.replace(self.path, _HEAD + b"".join(lines.line_of(entry) + b"\n" for entry in entries))


def _has(entries: Iterable[Known], entry: Known) -> bool:
    return any((other.id, other.key) == (entry.id, entry.key) for other in entries)
