"""What the preferences hold, as the library's settings. A wrong value is told and left out; the others still count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hybridisco import Config, ConfigError, make_config

from .words import say

#: The kinds that the preferences always list, in this order.
MAIN_KINDS = ("comfyui", "wan2gp", "litellm", "rvc", "audioldm")

_Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredKind:
    """A kind in the preferences. Texts as the user typed them; ``ports`` empty means the usual ones.

    One that is ``custom`` is recognised by what ``proof_path`` answers: ``proof_has`` names values of its JSON, and
    ``proof_body`` is a regular expression that its text matches.
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


def settings_of(stored: Stored) -> tuple[Config, tuple[Complaint, ...]]:
    """Return the settings, and a complaint for each value that had to be left out. Never raises for a value."""
    values: _Values = {"discovery": {"sources": list(stored.sources)}}
    complaints: list[Complaint] = []
    for place, index, more in _pieces(stored):
        try:
            config = make_config(_joined(values, more))
        except ConfigError as error:
            complaints.append(Complaint(place, _message(error), index))
            continue
        values = _joined(values, more)
        if place == "manual" and len({e.target.endpoint().key for e in config.services}) < len(config.services):
            values["services"].pop()
            complaints.append(Complaint(place, say("It stands there twice; one is enough."), index))
    return make_config(values), tuple(complaints)


def _pieces(stored: Stored) -> Iterator[tuple[str, int | None, _Values]]:
    """Yield each value by itself, so that a wrong one spoils no other: whose it is, its row, and the settings."""
    for name, seconds in (("timeout_s", stored.timeout_s), ("rescan_s", stored.rescan_s)):
        yield name, None, {"discovery" if name == "timeout_s" else "probe": {name: seconds}}
    yield "probe_timeout_s", None, {"probe": {"timeout_s": stored.probe_timeout_s}}
    yield "hosts", None, {"probe": {"hosts": []}}
    for host in _words(stored.hosts):
        yield "hosts", None, {"probe": {"hosts": [host]}}
    yield "ports", None, {"probe": {"ports": []}}
    for ports in _words(stored.ports):
        yield "ports", None, {"probe": {"ports": [ports]}}
    for index, kind in enumerate(stored.kinds):
        if table := _kind_table(kind):
            yield "kinds", index, {"kinds": {kind.kind_id.strip(): table}}
    for index, entry in enumerate(stored.entries):
        said = {"url": entry.url.strip(), "kind": entry.kind, "name": entry.title}
        yield "manual", index, {"services": [{key: value for key, value in said.items() if value or key == "url"}]}


def _kind_table(kind: StoredKind) -> _Values:
    ports = [int(word) if re.fullmatch(r"[0-9]{1,6}", word) else word for word in _words(kind.ports)]
    table: _Values = {"ports": ports} if ports else {}
    if not kind.custom:
        return {**table, **({"health": kind.health.strip()} if kind.health.strip() else {})}
    proof: _Values = {"path": kind.proof_path.strip()}
    if kind.proof_has.strip():
        proof["has"] = _words(kind.proof_has)
    if kind.proof_body:
        proof["body"] = kind.proof_body
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
