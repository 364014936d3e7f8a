"""Changes to the user's file that keep its comments and order. The only file that knows tomlkit.

Every change is made the same way: the file is locked against other writers, read and checked (a wrong one is
refused, never overwritten), edited as a document, checked again, and put in place in one step, so that a reader
sees the old file or the new one. A symbolic link stays one; mode bits stay as they are.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hybridisco.config.atomic import put
from hybridisco.config.lock import alone
from hybridisco.config.model import Config, ManualEntry
from hybridisco.config.schema import checked_id, interpret, known_kind, machine, refuse_twice
from hybridisco.config.text import read
from hybridisco.core import safe, target
from hybridisco.core.errors import ConfigError, UsageError

_ID = re.compile(r"[a-z0-9][a-z0-9-]*@(.+)")  # the id of a service that announces none: kind@host:port/path
_HEADER = re.compile(r"\s*\[[^\]]*\]?\]\s*(#.*)?$")
_ENTRY = re.compile(r"\s*\[\[\s*([\"']?)services\1\s*\]\]")
_BLANK = re.compile(r"\s*(#.*)?$")
_HINTS = {
    errno.ENOSPC: "The disk is full: make room on it.",
    errno.EDQUOT: "Your share of the disk is full: make room in it.",
    errno.EROFS: "It is on a read-only disk. Change it where it comes from, or set HYBRIDISCO_CONFIG to another file.",
}


def add_service(file: Path, url: str, kind: str | None = None, name: str | None = None) -> ManualEntry:
    """Add a ``[[services]]`` entry, and return it. The folder and the file are created if need be.

    :raises UsageError: the URL, kind or name cannot be used, or the service stands there already.
    :raises ConfigError: the file is wrong or cannot be written.
    """
    found = target.parse(url)
    if found.port is None:
        raise UsageError(
            f"{found} names no port. Write it with the port that the service listens on: {found}:8188. "
            f"To search all usual ports of it, run `hybridisco probe {found}`."
        )
    with _alone(file, in_new_folder=True):
        text, config = _current(file)
        entry = ManualEntry(
            known_kind(config.kinds, kind).id if kind else None, found, safe.text(name) if name else None, found.url
        )
        refuse_twice(config.services, entry)
        _put(file, text, _with_entry(text, entry), (*config.services, entry))
        return entry


def remove_service(file: Path, named: str) -> tuple[ManualEntry, ...]:
    """Remove the entries that ``named`` names: a URL, a name, or an id from the list. Returns what was removed.

    :raises UsageError: there is no such entry.
    :raises ConfigError: the file is wrong or cannot be written.
    """
    with _alone(file):
        text, config = _current(file)
        matches = _matcher(named)
        gone = [index for index, entry in enumerate(config.services) if matches(entry)]
        if not gone:
            known = ", ".join(entry.name or entry.url for entry in config.services[:10])
            there = f"It has: {known}." if known else "It has no services."
            raise UsageError(
                f"{ascii(named)[:80]} is not in {file}. {there} What was found by mDNS or a probe is hidden with "
                "`hybridisco ignore ID`."
            )
        kept = tuple(entry for index, entry in enumerate(config.services) if index not in gone)
        _put(file, text, _without_entries(text, gone), kept)
        return tuple(config.services[index] for index in gone)


def add_ignore(file: Path, service_id: str) -> bool:
    """Keep a service out of every list. Returns whether that is new.

    :raises UsageError: it cannot be the id of a service.
    :raises ConfigError: the file is wrong or cannot be written.
    """
    checked_id(service_id)
    with _alone(file, in_new_folder=True):
        text, config = _current(file)
        if service_id in config.ignore:
            return False
        document = _document(text)
        if "discovery" not in document:
            edited = _joined(text, ["[discovery]", f"ignore = [{_quoted(service_id)}]"])
        else:
            document["discovery"].setdefault("ignore", []).append(service_id)
            edited = document.as_string()
        _put(file, text, edited, config.services)
        return True


def remove_ignore(file: Path, service_id: str) -> bool:
    """Show an ignored service again. Returns whether it was ignored. :raises ConfigError: as above."""
    with _alone(file):
        text, config = _current(file)
        if service_id not in config.ignore:
            return False
        document = _document(text)
        ignored = document["discovery"]["ignore"]
        for index in reversed(range(len(ignored))):
            if ignored[index] == service_id:
                del ignored[index]
        _put(file, text, document.as_string(), config.services)
        return True


def create(file: Path, text: str) -> None:
    """Write a new file. :raises ConfigError: there is one already, or it cannot be written."""
    with _alone(file, in_new_folder=True):
        if read(file) is not None:
            raise ConfigError("It exists already and stays as it is. Edit it, or move it away first.", file=file)
        _write(file, text, instead_of=None)


@contextmanager
def _alone(file: Path, *, in_new_folder: bool = False) -> Iterator[None]:
    """Keep other writers waiting; the first entry's folder is made here, since it holds the lock."""
    if in_new_folder:
        with suppress(OSError, RuntimeError, ValueError):  # reading or writing tells what is wrong
            file.resolve().parent.mkdir(parents=True, exist_ok=True)
    with alone(file):
        yield


def _matcher(named: str) -> Callable[[ManualEntry], bool]:
    """Return what tells whether an entry is meant by ``named``."""
    by_id = _ID.fullmatch(named)
    try:
        found = target.parse(by_id[1] if by_id else named)
    except UsageError:
        found = None

    def matches(entry: ManualEntry) -> bool:
        if entry.name is not None and entry.name.casefold() == named.strip().casefold():
            return True
        if found is None or found.port is None:
            return False
        if by_id:  # an id tells neither http from https nor one address of this machine from another
            same = (entry.target.port, entry.target.path) == (found.port, found.path)
            return same and machine(entry.target.host) == machine(found.host)
        if "://" not in named:
            return (entry.target.host, entry.target.port, entry.target.path) == (found.host, found.port, found.path)
        return entry.target == found

    return matches


def _current(file: Path) -> tuple[str, Config]:
    """Return the text of the file and what it says. :raises ConfigError: it is wrong."""
    text = read(file) or ""
    return text, interpret(text, file)


def _put(file: Path, text: str, edited: str, services: tuple[ManualEntry, ...]) -> None:
    """Write ``edited``, if it says what it should: never trade one entry for another by a slip of editing."""
    if edited == text:
        return
    try:
        right = interpret(edited, file).services == services
    except ConfigError:
        right = False
    if not right:
        raise ConfigError("It is written in a way that cannot be edited safely. Change it in your editor.", file=file)
    _write(file, edited, instead_of=text or None)


def _with_entry(text: str, entry: ManualEntry) -> str:
    """Return ``text`` with an entry more, in the way of writing that the file has."""
    import tomlkit

    said = {"name": entry.name, "kind": entry.kind, "url": entry.url}
    pairs = [f"{key} = {_quoted(value)}" for key, value in said.items() if value is not None]
    document = _document(text)
    if isinstance(document.get("services"), tomlkit.items.Array):  # services = [{ url = … }]
        document["services"].append(tomlkit.parse(f"x = {{ {', '.join(pairs)} }}")["x"])
        return str(document.as_string())
    return _joined(text, ["[[services]]", *pairs])


def _without_entries(text: str, gone: list[int]) -> str:
    """Return ``text`` without some entries. Comments stay: the next table's stand at this one's end."""
    import tomlkit

    document = _document(text)
    if isinstance(document.get("services"), tomlkit.items.Array):
        for index in reversed(gone):
            del document["services"][index]
        return str(document.as_string())
    lines = text.splitlines(keepends=True)
    for index in reversed(gone):
        headers = [i for i, line in enumerate(lines) if _HEADER.match(line)]
        start = [i for i in headers if _ENTRY.match(lines[i])][index]
        end = next((i for i in headers if i > start), len(lines))
        while _BLANK.match(lines[end - 1]):
            end -= 1
        if end < len(lines) and not lines[end].strip():  # one empty line goes with it
            end += 1
        elif end == len(lines) and start > 0 and not lines[start - 1].strip():
            start -= 1
        del lines[start:end]
    return "".join(lines)


def _document(text: str) -> Any:
    """Return ``text`` as a document to edit. :raises ConfigError: tomlkit cannot read what tomllib can."""
    import tomlkit

    try:
        return tomlkit.parse(text)
    except (tomlkit.exceptions.TOMLKitError, RecursionError) as error:
        raise ConfigError(f"It cannot be edited safely ({error}). Change it in your editor.") from error


def _joined(text: str, lines: list[str]) -> str:
    """Return ``text`` with ``lines`` below it, after an empty one."""
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text.strip() else newline if text.endswith("\n") else newline * 2
    return text + gap + newline.join([*lines, ""])


def _quoted(value: str) -> str:
    import tomlkit

    return tomlkit.string(value).as_string()


def _read_only(file: Path) -> OSError:
    """Return why a file that is there may not be written."""
    disk = hasattr(os, "statvfs") and os.statvfs(file).f_flag & os.ST_RDONLY
    return OSError(errno.EROFS, os.strerror(errno.EROFS)) if disk else OSError(errno.EACCES, "it is read-only")


def _write(file: Path, text: str, *, instead_of: str | None) -> None:
    """Put ``text`` in place of ``file`` in one step (of what it points to, if it is a symbolic link).

    :param instead_of: what was read; an editor that has saved something else since is not undone.
    """

    def still_the_same() -> None:
        if (read(file) or None) != instead_of:  # an empty file says no more than none
            raise ConfigError("Another program has changed it just now. It stays as it is; try again.", file=file)

    try:
        real = file.resolve()
        real.parent.mkdir(parents=True, exist_ok=True)
        if real.exists() and not os.access(real, os.W_OK):
            raise _read_only(real)
        put(real, text.encode(), new_mode=0o644, before=still_the_same)
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead to each other
        reason = getattr(error, "strerror", None) or str(error)
        hint = _HINTS.get(getattr(error, "errno", None) or 0, "Check its permissions and its folder's.")
        raise ConfigError(f"It cannot be written ({reason}), and stays as it is. {hint}", file=file) from error
