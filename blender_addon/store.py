"""Blender's properties as plain values, and plain values into Blender's properties."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import bpy

from hybridisco import Service

from .logic.choices import Choice
from .logic.listing import Wanted
from .logic.memory import LIMIT, Remembered, last_known, remembered
from .logic.settings import MAIN_KINDS, Stored, StoredEntry, StoredKind

if TYPE_CHECKING:
    from .preferences import HybridiscoPreferences
    from .properties import HYBRIDISCO_PG_service

_NOT_KEPT = ("status", "last_seen")  # changes of these alone are no reason to save the preferences


def preferences() -> HybridiscoPreferences | None:
    """Return the extension's preferences, or None while Blender has none for it."""
    addons = bpy.context.preferences.addons if bpy.context.preferences else None
    addon = addons.get(__package__ or "") if addons else None
    return addon.preferences if addon else None


def stored(prefs: HybridiscoPreferences) -> Stored:
    """Return the settings."""
    switches = (("mdns", prefs.use_mdns), ("probe", prefs.use_probe), ("manual", prefs.use_manual))
    return Stored(
        sources=tuple(name for name, on in switches if on),
        hosts=prefs.hosts,
        ports=prefs.ports,
        timeout_s=prefs.timeout_s,
        probe_timeout_s=prefs.probe_timeout_s,
        rescan_s=prefs.rescan_s,
        kinds=tuple(
            StoredKind(k.kind_id, k.ports, k.health, k.is_custom, k.title, k.proof_path, k.proof_has, k.proof_body)
            for k in prefs.kinds
        ),
        entries=tuple(StoredEntry(entry.url, entry.kind, entry.title) for entry in prefs.manual),
    )


def wanted(prefs: HybridiscoPreferences) -> Wanted:
    """Return what the list is to show."""
    return Wanted(
        search=prefs.search,
        kind=prefs.filter_kind or "ANY",  # empty where a kind is gone that the filter named
        status=prefs.filter_status,
        sort_by=prefs.sort_by,
        reverse=prefs.sort_reverse,
        ignored=ignored(prefs),
    )


def ignored(prefs: HybridiscoPreferences) -> frozenset[str]:
    """Return the ids of the services that are not shown."""
    return frozenset(row.service_id for row in prefs.ignored)


def add_main_kinds(prefs: HybridiscoPreferences) -> None:
    """See that the five main kinds have a row, so that their ports can be set."""
    known = {row.kind_id for row in prefs.kinds}
    for kind_id in MAIN_KINDS:
        if kind_id not in known:
            prefs.kinds.add().kind_id = kind_id


# -- choices ------------------------------------------------------------------------------------------


def choices(prefs: HybridiscoPreferences) -> tuple[Choice, ...]:
    """Return what is used for each kind."""
    return tuple(Choice(row.kind, row.service_id, row.title, row.url) for row in prefs.chosen)


def write_choices(prefs: HybridiscoPreferences, new: Sequence[Choice]) -> bool:
    """Write what is used for each kind; returns whether that is news."""
    if choices(prefs) == tuple(new):
        return False
    prefs.chosen.clear()
    for choice in new:
        row = prefs.chosen.add()
        row.name, row.kind, row.service_id = choice.title, choice.kind, choice.service_id
        row.title, row.url = choice.title, choice.url
    mark_changed()
    return True


# -- services -----------------------------------------------------------------------------------------


def read_services(prefs: HybridiscoPreferences) -> tuple[Service, ...]:
    """Return what was found in the former session; what makes no sense is left out."""
    services = {service.id: service for row in prefs.discovered if (service := last_known(_row(row)))}
    return tuple(services.values())[:LIMIT]


class Rows:
    """The rows of the list: writes only what differs, since a property of Blender costs a microsecond or ten."""

    def __init__(self) -> None:
        self._written: list[tuple[Remembered, bool]] = []
        self._owner = 0
        self._lost: tuple[str, str] | None = None  # the active service that went away, and which is active since

    @property
    def ids(self) -> list[str]:
        """The ids of the services, in the order of the rows."""
        return [row.service_id for row, _ in self._written]

    def fit(self, prefs: HybridiscoPreferences) -> bool:
        """Whether the rows are those that were written: loading preferences puts others there."""
        return self._owner == prefs.as_pointer() and len(self._written) == len(prefs.discovered)

    def write(self, prefs: HybridiscoPreferences, services: Iterable[Service], unchecked: frozenset[str]) -> None:
        """Make the rows those of ``services``. The active one stays the active one."""
        now = {s.id: (remembered(s), s.id in unchecked) for s in services}
        if not self.fit(prefs):
            self._adopt(prefs)
        ids = self.ids
        active = ids[prefs.active_index] if 0 <= prefs.active_index < len(ids) else None
        if self._lost is not None and active != self._lost[1]:
            self._lost = None  # the user has chosen another one meanwhile
        news = False
        for index in reversed(range(len(ids))):
            if ids[index] not in now:
                prefs.discovered.remove(index)
                del self._written[index]
                news = True
        for index, (old, was_unchecked) in enumerate(self._written):
            new, is_unchecked = now.pop(old.service_id)
            news |= self._update(prefs, index, old, new)
            if was_unchecked != is_unchecked:
                prefs.discovered[index].last_known = is_unchecked
            self._written[index] = (new, is_unchecked)
        for new, is_unchecked in now.values():
            row = prefs.discovered.add()
            for name, value in asdict(new).items():
                _set(row, name, value)
            row.last_known = is_unchecked
            self._written.append((new, is_unchecked))
            news = True
        if self._lost is not None and self._lost[0] in self.ids:
            active, self._lost = self._lost[0], None
        if not self.activate(prefs, active) and active is not None:
            now_ids = self.ids
            self._lost = (active, now_ids[prefs.active_index] if now_ids else "")
        if news:
            mark_changed()

    def _adopt(self, prefs: HybridiscoPreferences) -> None:
        """Take over the rows that are there, as they were saved."""
        self._owner = prefs.as_pointer()
        self._written = [(_row(row), row.last_known) for row in prefs.discovered]
        if len({row.service_id for row, _ in self._written}) < len(self._written):  # not by us
            prefs.discovered.clear()
            self._written = []

    def activate(self, prefs: HybridiscoPreferences, service_id: str | None) -> bool:
        """Make a service's row the active one; returns whether there is one."""
        ids = self.ids
        if service_id in ids:
            self._lost = None
            if prefs.active_index != ids.index(service_id):
                prefs.active_index = ids.index(service_id)
            return True
        last = max(0, len(ids) - 1)
        if prefs.active_index > last:
            prefs.active_index = last
        return False

    @staticmethod
    def _update(prefs: HybridiscoPreferences, index: int, old: Remembered, new: Remembered) -> bool:
        """Write what differs; returns whether that is worth saving."""
        if old == new:
            return False
        before = asdict(old)
        differing = {name: value for name, value in asdict(new).items() if value != before[name]}
        row = prefs.discovered[index]
        for name, value in differing.items():
            _set(row, name, value)
        return any(name not in _NOT_KEPT for name in differing)


def _row(row: HYBRIDISCO_PG_service) -> Remembered:
    """Return what a row holds."""
    texts = (row.service_id, row.kind, row.title, row.host, row.url, row.status, row.version, row.sources)
    return Remembered(*texts, _seconds(row.last_seen))


def _set(row: bpy.types.PropertyGroup, name: str, value: str | float) -> None:
    setattr(row, name, value if isinstance(value, str) else f"{value:.3f}")
    if name == "title":
        row.name = str(value)  # what Blender itself calls the row


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def mark_changed() -> None:
    """Say that the preferences are worth saving: Blender then does so at its end, if the user lets it."""
    if bpy.context.preferences is not None:
        bpy.context.preferences.is_dirty = True
