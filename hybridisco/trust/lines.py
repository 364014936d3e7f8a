"""The text of a file of keys: made for people, as ssh's known_hosts is. Pure.

One key a line, and whatever else stands there is kept as it is::

    # id                       key                                                 known since          name
    mfzwizltoq2gk3tfojqwy3dfmy ed25519 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo 2026-11-24T09:00:00Z ComfyUI on box

Lines are octets here, not text: one that is not UTF-8 is not understood, but is not changed by being read either.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from hybridisco.core import safe
from hybridisco.core.trust import KEY_OCTETS, decoded

_TYPE = "ed25519"
_FORM = "ID ed25519 KEY 2026-11-24T09:00:00Z NAME"
_SINCE = "%Y-%m-%dT%H:%M:%SZ"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_WARNINGS = 20  # of one file; who has more of them has the wrong file
_LATEST_S = 253402300799.0  # 9999-12-31T23:59:59Z: later years have five digits


@dataclass(frozen=True, slots=True)
class Known:
    """A key, and what it is the key of. ``since`` is in seconds since the epoch.

    ``key`` is base64 without padding. It is empty where the line of this id is damaged: then no key is the right one,
    rather than any.
    """

    id: str
    key: str
    since: float
    name: str

    @property
    def damaged(self) -> bool:
        """Whether the line has an id, but no key that can be read."""
        return not self.key


def fingerprint(key: str) -> str:
    """Return a key as people compare it: the text that ssh prints for it too.

    That is the SHA-256 of the key as ssh sends it: its type, then its octets, each after its length (RFC 8709
    section 4).
    """
    sent = b"".join(len(part).to_bytes(4, "big") + part for part in (b"ssh-ed25519", decoded(key) or b""))
    return "SHA256:" + base64.b64encode(hashlib.sha256(sent).digest()).decode().rstrip("=")


def is_key(text: str) -> bool:
    """Whether ``text`` is a public key in base64 without padding."""
    octets = decoded(text) if text.isascii() else None
    return octets is not None and len(octets) == KEY_OCTETS


def written_time(since: float) -> str:
    """Return a time as it stands in the file: UTC, whole seconds."""
    return datetime.fromtimestamp(min(max(since, 0.0), _LATEST_S), UTC).strftime(_SINCE)


def line_of(entry: Known) -> bytes:
    """Return the line that says ``entry``."""
    name = safe.text(entry.name) or ""
    return f"{entry.id} {_TYPE} {entry.key} {written_time(entry.since)} {name}".rstrip().encode("utf-8", "replace")


def read_line(line: bytes) -> Known | str | None:
    """Return what a line says, None if it says nothing (empty, a comment), or what is wrong with it."""
    try:
        said = line.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return "This line is not UTF-8."
    if not said or said.startswith("#"):
        return None
    words = said.split(maxsplit=4)
    if len(words) < 4:
        return f"This is not a key. A line looks like this: {_FORM}."
    service_id, kind, key, since = words[:4]
    if safe.service_id(service_id) is None:
        return f"{ascii(service_id)[:40]} is not the id of a service."
    if kind != _TYPE:
        return f"{ascii(kind)[:40]} is a kind of key that is not known here. Known is {_TYPE}."
    if not is_key(key):
        return (
            f"The key is damaged: it should be {KEY_OCTETS} octets in base64 without padding, which is 43 characters."
        )
    time = _read_time(since)
    if time is None:
        return f"{ascii(since)[:40]} is not a time. One looks like 2026-11-24T09:00:00Z."
    return Known(service_id, key, time, safe.text("".join(words[4:])) or "")


def _read_time(text: str) -> float | None:
    """Return a time that :func:`written_time` wrote. (``strptime`` takes ten times longer.)"""
    if not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def _damaged(line: bytes) -> Known | None:
    """Return the id of a line that is wrong, if it is clear that it was the key of one."""
    words = line.decode("utf-8-sig", "replace").split(maxsplit=2)
    if len(words) > 1 and words[1] == _TYPE and safe.service_id(words[0]):
        return Known(words[0], "", 0.0, "")
    return None


@dataclass(frozen=True, slots=True)
class Page:
    """A whole file, read: its lines, what each says, and what is wrong (line number, and why)."""

    lines: tuple[bytes, ...] = ()
    entries: tuple[Known | None, ...] = ()
    wrong: tuple[tuple[int, str], ...] = ()

    @property
    def keys(self) -> dict[str, Known]:
        """The first entry of each id: the oldest, since new ones are written below."""
        first: dict[str, Known] = {}
        for entry in self.entries:
            if entry is not None:
                first.setdefault(entry.id, entry)
        return first

    def warnings(self, file: str) -> tuple[str, ...]:
        """Return what is wrong, each with its place."""
        told = [f"{file}, line {number}: {why}" for number, why in self.wrong[:_WARNINGS]]
        more = len(self.wrong) - len(told)
        return (*told, *([f"{file}: {more} more lines are not understood."] if more > 0 else []))

    def text(self) -> bytes:
        """Return the file."""
        return b"".join(line + b"\n" for line in self.lines)

    def without(self, ids: Collection[str]) -> Page:
        """Return the page without the lines of some ids (and without :attr:`wrong`: their numbers change)."""
        return _page(pair for pair in self._pairs() if pair[1] is None or pair[1].id not in ids)

    def having(self, entries: Iterable[Known]) -> Page:
        """Return the page with these entries, each in the place of its id's old line, else below all."""
        new = {entry.id: (line_of(entry), entry) for entry in entries}
        pairs: list[tuple[bytes, Known | None]] = []
        done: set[str] = set()
        for line, entry in self._pairs():
            if entry is None or entry.id not in new:
                pairs.append((line, entry))
            elif entry.id not in done:
                pairs.append(new[entry.id])
                done.add(entry.id)
        return _page([*pairs, *(pair for service_id, pair in new.items() if service_id not in done)])

    def _pairs(self) -> Iterable[tuple[bytes, Known | None]]:
        return zip(self.lines, self.entries, strict=True)


def _page(pairs: Iterable[tuple[bytes, Known | None]]) -> Page:
    kept = tuple(pairs)
    return Page(tuple(line for line, _ in kept), tuple(entry for _, entry in kept))


def read(data: bytes) -> Page:
    """Return what a file says. Nothing is lost: lines that are not understood stay, and are told of."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    entries: list[Known | None] = []
    wrong: list[tuple[int, str]] = []
    seen: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        said = read_line(line)
        if isinstance(said, str):
            wrong.append((number, said))
            said = _damaged(line)
        elif said is not None and seen.setdefault(said.id, said.key) != said.key:
            wrong.append((number, f"{said.id} has another key above, which holds. Remove one of the two lines."))
        entries.append(said)
    return Page(tuple(lines), tuple(entries), tuple(wrong))
