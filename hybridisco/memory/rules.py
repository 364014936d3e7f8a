"""What is kept for how long. Pure: the entries and the time come in.

Theory of operation. An entry is kept until it was not seen for :data:`FORGET_AFTER_S`, or was looked for in vain on
:data:`MISSED_DAYS` days. Days are counted, and not searches: a script that looks each minute must not forget a box that
restarts.

A goodbye alone forgets nothing: a box that is switched off at night says goodbye too, and is back in the morning. To
keep it costs one connect at a start. Whether it was taken back while the backend goes on, its sidecar tells, whose end
is seen then (:mod:`hybridisco.recall`). Only what has none, as with Avahi, is forgotten when its goodbye is heard.

What takes the place of another (its address or host name, and its port) drives it out. Where there are too many, those
go first that were not seen for the most days, and of those seen on one day the newest: who floods a LAN with fakes
drives out nothing that is still there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import replace

from hybridisco.memory.document import LIMIT
from hybridisco.memory.entry import Entry

FORGET_AFTER_S = 30 * 86400
MISSED_DAYS = 5
AT_ONE_ADDRESS = 32  # one machine must not fill the memory; a GPU box has a handful
_DAY_S = 86400
_SAME_DAY_S = 20 * 3600  # who starts at nine today may start at eight tomorrow


def updated(
    old: Iterable[Entry], seen: Iterable[Entry], missed: Collection[str], now: float, taken_back: Collection[str] = ()
) -> tuple[Entry, ...]:
    """Return what is kept at ``now``, ordered by ref.

    :param seen: entries that have just answered.
    :param missed: the refs of entries that were looked for, and did not.
    :param taken_back: the refs of entries whose announcer has taken them back.
    """
    kept = {entry.ref: entry for entry in old if entry.ref not in taken_back}
    fresh = {entry.ref: entry for entry in seen}
    for ref in missed:
        entry = kept.get(ref)
        if entry is not None and ref not in fresh and now - _looked_for(entry, now) >= _SAME_DAY_S:
            kept[ref] = replace(entry, missed=entry.missed + 1, missed_at=int(now))
    taken = {place: new for new in fresh.values() for place in _places(new)}
    for ref, entry in list(kept.items()):
        if any(_drives_out(taken.get(place), entry) for place in _places(entry)):
            del kept[ref]
    for ref, entry in fresh.items():
        kept[ref] = _again(kept.get(ref), entry, now)
    alive = [e for e in kept.values() if now - _seen(e, now) <= FORGET_AFTER_S and e.missed < MISSED_DAYS]
    return tuple(sorted(_bounded(alive, now), key=lambda entry: entry.ref))


def _again(old: Entry | None, new: Entry, now: float) -> Entry:
    """Return an entry that was seen again: the old one where nothing that is worth a write has changed."""
    if old is None:
        return new
    since = min(old.since, new.since) or new.since
    same = replace(new, since=old.since, seen_at=old.seen_at) == old
    return old if same and 0 <= now - old.seen_at < _DAY_S else replace(new, since=since)


def _drives_out(new: Entry | None, old: Entry) -> bool:
    """Whether one takes the other's place. Nobody without a key takes that of one with a key."""
    return new is not None and new.ref != old.ref and (new.key is not None or old.key is None)


def _places(entry: Entry) -> Iterator[Hashable]:
    for endpoint in entry.endpoints:
        yield endpoint.key
        if entry.host:
            yield (entry.host, endpoint.port, endpoint.path)


def _looked_for(entry: Entry, now: float) -> float:
    """Return when it was last noted what became of an entry. A time that is still to come was a wrong clock's."""
    return max((at for at in (entry.seen_at, entry.missed_at) if at <= now), default=0.0)


def _seen(entry: Entry, now: float) -> float:
    """Return when an entry was last seen; not in the future, whatever somebody did to the clock."""
    return min(entry.seen_at, now)


def _bounded(entries: Iterable[Entry], now: float) -> Iterable[Entry]:
    count: Counter[str] = Counter()
    kept: list[Entry] = []
    for entry in sorted(entries, key=lambda e: (int((now - _seen(e, now)) // _DAY_S), e.since, e.ref)):
        address = entry.endpoints[0].dial
        if count[address] < AT_ONE_ADDRESS and len(kept) < LIMIT:
            count[address] += 1
            kept.append(entry)
    return kept
