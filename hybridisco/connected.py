"""All evidence, by what connects it, and how much of it is taken in. Not for two threads at once."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, KeysView

from hybridisco.core.evidence import EndpointKey, Evidence, World
from hybridisco.core.identity import Key
from hybridisco.core.model import Announcement, EvidenceKey, SourceName, Trust, check_ref

log = logging.getLogger(__name__)

#: Announcements from the network that are kept; what comes beyond is dropped and counted. The checks of what they name,
#: at most eight addresses each, come on top.
CLAIM_LIMIT = 8192

#: Pieces of evidence that may be connected. A component is computed anew at each change in it; a backend has a
#: handful of evidence, and eighty boxes under one cloned id fit in.
CONNECTED_LIMIT = 256


class ConnectedEvidence:
    """Evidence by its name, with an index of the keys that it shares with others (:mod:`hybridisco.core.identity`)."""

    def __init__(self) -> None:
        self._all: dict[EvidenceKey, Evidence] = {}
        self._keys: dict[EvidenceKey, frozenset[Key]] = {}
        self._index: dict[Key, set[EvidenceKey]] = defaultdict(set)
        self._claims = 0
        self._recalled = 0
        self.dropped = 0
        """Announcements that were dropped because a limit was reached."""

    def __getitem__(self, key: EvidenceKey) -> Evidence:
        return self._all[key]

    def __iter__(self) -> Iterator[Evidence]:
        return iter(self._all.values())

    def keys(self) -> KeysView[EvidenceKey]:
        """Return the names of all evidence."""
        return self._all.keys()

    def look_at(self, endpoint: EndpointKey) -> Evidence | None:
        """Return what the last look at a claimed endpoint found."""
        return self._all.get((SourceName.PROBE, check_ref(endpoint)))

    def insert(self, item: Evidence, world: World) -> None:
        """Take in evidence whose name is not taken."""
        self._all[item.announcement.key] = item
        self._claims += item.announcement.source is SourceName.MDNS
        self._recalled += item.announcement.recalled
        self._connect(item.announcement, world)

    def remove(self, key: EvidenceKey) -> Evidence | None:
        """Forget evidence; returns what it was."""
        self._disconnect(key)
        old = self._all.pop(key, None)
        self._claims -= old is not None and old.announcement.source is SourceName.MDNS
        self._recalled -= old is not None and old.announcement.recalled
        return old

    def update(self, item: Evidence) -> None:
        """Take in what time did to evidence: its announcement is the same."""
        self._all[item.announcement.key] = item

    def reconnect(self, keys: Iterable[EvidenceKey], world: World) -> None:
        """Connect evidence anew: the world is another."""
        for key in list(keys):
            self._disconnect(key)
            self._connect(self._all[key].announcement, world)

    def connected(self, start: Iterable[EvidenceKey]) -> set[EvidenceKey]:
        """Return all evidence that is connected to ``start``, itself included."""
        found: set[EvidenceKey] = set()
        walked: set[Key] = set()
        waiting = [key for key in start if key in self._all]
        while waiting:
            key = waiting.pop()
            if key not in found:
                found.add(key)
                new = self._keys[key] - walked
                walked |= new
                for own in new:
                    waiting.extend(self._index[own])
        return found

    def superseded(self, members: Iterable[EvidenceKey]) -> frozenset[EvidenceKey]:
        """Return what is only remembered, of ``members``, and spoken of by others among them now."""
        if not self._recalled:
            return frozenset()
        members = tuple(members)
        recalled = [key for key in members if self._all[key].announcement.recalled]
        standing = (key for key in members if self._all[key].announcement.standing and key not in recalled)
        told = frozenset(each for key in standing for each in self._keys[key])
        return frozenset(key for key in recalled if self._keys[key] & told)

    def has_standing(self, keys: Iterable[EvidenceKey]) -> bool:
        """Whether any of this evidence makes a service by itself."""
        return any(self._all[key].announcement.standing for key in keys)

    def has_room_for(self, announcement: Announcement, world: World) -> bool:
        """Whether an announcement is kept. What the user's own config leads to always is."""
        if announcement.source is not SourceName.MDNS:
            return True  # a check: there is one for each endpoint of what was let in
        if world.trust(announcement) is Trust.PINNED:
            return True  # nobody can make himself into many of these, and nobody is to crowd one out
        if self._claims >= CLAIM_LIMIT:
            trouble = f"There are more than {CLAIM_LIMIT} announcements"
        elif self._would_connect(announcement, world) >= CONNECTED_LIMIT:
            trouble = f"More than {CONNECTED_LIMIT} announcements claim to be one service"
        else:
            return True
        self.dropped += 1
        level = logging.WARNING if self.dropped == 1 else logging.DEBUG
        log.log(level, "%s; what comes beyond is dropped.", trouble)
        return False

    def _would_connect(self, announcement: Announcement, world: World) -> int:
        own = world.keys(announcement)
        return len(self.connected({key for each in own for key in self._index.get(each, ())}))

    def _connect(self, announcement: Announcement, world: World) -> None:
        self._keys[announcement.key] = world.keys(announcement)
        for own in self._keys[announcement.key]:
            self._index[own].add(announcement.key)

    def _disconnect(self, key: EvidenceKey) -> None:
        for own in self._keys.pop(key, ()):
            self._index[own].discard(key)
            if not self._index[own]:
                del self._index[own]
