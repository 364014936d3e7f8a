"""What the preferences hold, as the library's settings. A wrong value is told and left out; the others still count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hybridisco import Config, ConfigError, make_config

#: The kinds that the preferences always list, in this order.
MAIN_KINDS = ("comfyui", "wan2gp", "litellm", "rvc", "audioldm")

_Values = dict[str, Any]

_WORDS = 1000  # of one list: more are a mistake, and would take hours to search
_COMPLAINTS = 8  # about one list: what follows then is left out without a look


@dataclass(frozen=True, slots=True)
class StoredKind:
    """A kind in the preferences. Texts as the user typed them; ``ports`` empty means the usual ones.

    One that is ``custom`` is recognised by what ``proof_path`` answers: ``proof_has`` names values of its JSON, and
    ``proof_body`` is a text in it. No regular expression: a slip in one could hold Python, and so Blender, for ever.
    """

    kind_id: str
    ports: str = ""
    health: str = ""
    custom: bool = False
    title: str = ""
    proof_path: str = ""
    proof_has: str = ""
    proof_body: str = ""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A manual service in the preferences."""

    url: str
    kind: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """The preferences as plain values. ``hosts`` and ``ports`` are lists with commas; times are seconds."""

    sources: tuple[str, ...] = ("mdns", "probe", "manual")
    hosts: str = "localhost"
    ports: str = "8000-8200"
    timeout_s: float = 5.0
    probe_timeout_s: float = 5.0
    rescan_s: float = 5.0
    kinds: tuple[StoredKind, ...] = ()
    entries: tuple[StoredEntry, ...] = ()

    def without_entries(self) -> Stored:
        """Return the settings that need a new search when they change: all but the manual services."""
        return replace(self, entries=())


@dataclass(frozen=True, slots=True)
class Complaint:
    """A value that is not used. ``place`` is the preference's name; ``index`` its row where it has rows."""

    place: str
    message: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    """One value by itself: whose it is, its row where it has rows, and what it adds to the settings."""

    place: str
    values: _Values
    index: int | None = None


def settings_of(stored: Stored) -> tuple[Config, tuple[Complaint, ...]]:
    """Return the settings, and a complaint for each value that had to be left out. Never raises for a value.

    All values are tried together, and only where that fails in halves: nearly always all are right.
    """
    values: _Values = {"discovery": {"sources": list(stored.sources)}}
    complaints: list[Complaint] = []
    for pieces in _stages(stored):
        values = _with_good(values, pieces, complaints)
    return make_config(values), tuple(complaints)


def _with_good(values: _Values, pieces: Sequence[_Piece], complaints: list[Complaint]) -> _Values:
    """Return ``values`` with those of ``pieces`` that are right; a complaint for each other."""
    if not pieces:
        return values
    if sum(complaint.place == pieces[0].place for complaint in complaints) >= _COMPLAINTS:
        return values  # it is something else altogether that was pasted there
    joined = values
    for piece in pieces:
        joined = _joined(joined, piece.values)
    try:
        make_config(joined)
        return joined
    except ConfigError as error:
        if len(pieces) == 1:
            complaints.append(Complaint(pieces[0].place, _message(error), pieces[0].index))
            return values
    middle = len(pieces) // 2
    return _with_good(_with_good(values, pieces[:middle], complaints), pieces[middle:], complaints)


def _stages(stored: Stored) -> Iterator[list[_Piece]]:
    """Yield the values place by place; services come after the kinds that they may be of."""
    for place, table, key, seconds in (
        ("timeout_s", "discovery", "timeout_s", stored.timeout_s),
        ("rescan_s", "probe", "rescan_s", stored.rescan_s),
        ("probe_timeout_s", "probe", "timeout_s", stored.probe_timeout_s),
    ):
        yield [_Piece(place, {table: {key: seconds}})]
    # A space is a slip in a host, but what people put between ports.
    for place, words in (("hosts", re.split("[,;]", stored.hosts)), ("ports", _words(stored.ports))):
        every = list(dict.fromkeys(word.strip() for word in words if word.strip()))[:_WORDS]
        yield [_Piece(place, {"probe": {place: []}}), *(_Piece(place, {"probe": {place: [word]}}) for word in every)]
    kinds = ((index, kind.kind_id.strip(), _kind_table(kind)) for index, kind in enumerate(stored.kinds))
    yield [_Piece("kinds", {"kinds": {name: table}}, index) for index, name, table in kinds if table]
    yield [_entry(index, entry) for index, entry in enumerate(stored.entries[:_WORDS])]


def _entry(index: int, entry: StoredEntry) -> _Piece:
    said = {"url": entry.url.strip(), "kind": entry.kind, "name": entry.title}
    return _Piece("manual", {"services": [{key: value for key, value in said.items() if value or key == "url"}]}, index)


def _kind_table(kind: StoredKind) -> _Values:
    ports = [int(word) if re.fullmatch(r"[0-9]{1,6}", word) else word for word in _words(kind.ports)]
    table: _Values = {"ports": ports} if ports else {}
    if not kind.custom:
        return {**table, **({"health": kind.health.strip()} if kind.health.strip() else {})}
    proof: _Values = {"path": kind.proof_path.strip()}
    if kind.proof_has.strip():
        proof["has"] = _words(kind.proof_has)
    if kind.proof_body:
        proof["body"] = re.escape(kind.proof_body)
    return {**table, "title": kind.title or kind.kind_id, "proofs": [proof]}


def _joined(values: Mapping[str, Any], more: Mapping[str, Any]) -> _Values:
    """Return both together: tables key by key, lists end to end."""
    joined = dict(values)
    for key, value in more.items():
        old = joined.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            joined[key] = _joined(old, value)
        elif isinstance(value, list) and isinstance(old, list):
            joined[key] = [*old, *value]
        else:
            joined[key] = value
    return joined


def _words(text: str) -> list[str]:
    return re.findall(r"[^\s,;]+", text)


def _message(error: ConfigError) -> str:
    """Return what is wrong without the name that the value has in the file, which nobody sees here."""
    message = str(error).removeprefix(f"{error.key}: ")
    return message[:1].upper() + message[1:]
