"""A key that a person may accept in the place of the known one, with all that he needs to decide."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from hybridisco.core.errors import ConfigError, UsageError
from hybridisco.trust.store import Known, KnownKeys, default_file, fingerprint


@dataclass(frozen=True, slots=True)
class KeyChange:
    """Another key than the known one was seen for an id, and was refused.

    ``key`` is the new one in base64; ``new`` and ``known`` are fingerprints, as people compare them. ``known`` is None
    where no key is known. Times are seconds since the epoch.
    """

    id: str
    name: str
    key: str
    new: str
    seen_at: float
    known: str | None = None
    known_since: float | None = None


class KeyChanges:
    """What was refused and not accepted since. The files are read anew when they have changed; else a look is cheap."""

    def __init__(self) -> None:
        self._store: KnownKeys | None = None

    def of(self, service_id: str) -> tuple[KeyChange, ...]:
        """Return the changes for an id, the oldest first. Empty also where the files cannot be read: never raises."""
        try:
            store = self._there()
            refused = store.refused()
        except ConfigError:
            return ()
        old = store.keys().get(announced_id(service_id))
        return tuple(
            _change(new, old)
            for new in refused
            if new.id == announced_id(service_id) and (old is None or old.key != new.key)
        )

    def accept(self, service_id: str, key: str | None = None) -> None:
        """Trust a refused key from now on. This waits for the disk, and for others who write.

        :param key: that one, in base64. Without, there must be just one.
        :raises UsageError: no such key was refused, or several were.
        :raises ConfigError: it cannot be written.
        """
        found = [change for change in self.of(service_id) if key in (None, change.key)]
        if not found:
            raise UsageError("Its key is not refused any more, or was never seen. Look at it again.")
        if len(found) > 1:
            raise UsageError(
                f"{len(found)} different keys of it were refused, and at most one of them can be right. Run "
                f"`hybridisco trust accept {found[0].id}`, which shows them."
            )
        store = self._there()
        known = store.keys().get(found[0].id)
        store.accept(found[0].id, found[0].key, found[0].name or (known.name if known else ""), time.time())

    def _there(self) -> KnownKeys:
        if self._store is None:
            self._store = KnownKeys(default_file())
        return self._store


def announced_id(service_id: str) -> str:
    """Return the id that an untrusted service claims, of its own id (which also names its place)."""
    return service_id.partition("~")[0]


def _change(new: Known, old: Known | None) -> KeyChange:
    change = KeyChange(new.id, new.name, new.key, fingerprint(new.key), new.since)
    if old is None or old.damaged:
        return change
    return replace(change, known=fingerprint(old.key), known_since=old.since)
