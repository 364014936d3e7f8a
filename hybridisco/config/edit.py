"""Changes to the user's file that keep its comments and order. The only file that knows tomlkit.

Every change is made the same way: the file is read and checked (a wrong one is refused, never overwritten),
edited as a document, checked again, and put in place in one step, so that a reader sees the old file or the
new one. A symbolic link stays one; mode bits stay as they are.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

from hybridisco.config.schema import interpret, known_kind
from hybridisco.config.model import Config, ManualEntry
from hybridisco.config.text import read
from hybridisco.core import safe, target
from hybridisco.core.errors import ConfigError, UsageError

T = TypeVar("T")

_ID = re.compile(r"[a-z0-9][a-z0-9-]*@(.+)")  # the id of a service that announces none: kind@host:port/path


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
    label = safe.text(name) if name else None

    def change(config: Config, document: Any) -> ManualEntry:
        entry = ManualEntry(known_kind(config.kinds, kind).id if kind else None, found, label, found.url)
        for other in config.services:
            if other.target.endpoint().key == found.endpoint().key:
                raise UsageError(f"{found.url} is there already{_as(other)}. Remove it first to change it.")
            if label and other.name and other.name.casefold() == label.casefold():
                raise UsageError(f"{label} is already the name of {other.url}. Take another name.")
        _append(document, "services", {"name": label, "kind": entry.kind, "url": found.url})
        return entry

    return _edit(file, change)


def remove_service(file: Path, named: str) -> tuple[ManualEntry, ...]:
    """Remove the entries that ``named`` names: a URL, a name, or an id from the list. Returns what was removed.

    :raises UsageError: there is no such entry.
    :raises ConfigError: the file is wrong or cannot be written.
    """

    def change(config: Config, document: Any) -> tuple[ManualEntry, ...]:
        matches = _matcher(named)
        gone = [index for index, entry in enumerate(config.services) if matches(entry)]
        if not gone:
            known = ", ".join(entry.name or entry.url for entry in config.services[:10])
            there = f"The file has: {known}." if known else "The file has no services."
            raise UsageError(
                f"{ascii(named)[:80]} is not in {file}. {there} What was found by mDNS or a probe is hidden with "
                "`hybridisco ignore ID`."
            )
        for index in reversed(gone):
            del document["services"][index]
        if not document["services"]:
            del document["services"]
        return tuple(config.services[index] for index in gone)

    return _edit(file, change)


def add_ignore(file: Path, service_id: str) -> bool:
    """Keep a service out of every list. Returns whether that is new. :raises ConfigError: as above."""

    def change(config: Config, document: Any) -> bool:
        if service_id in config.ignore:
            return False
        discovery = document.setdefault("discovery", {})
        discovery.setdefault("ignore", []).append(service_id)
        return True

    return _edit(file, change)


def remove_ignore(file: Path, service_id: str) -> bool:
    """Show an ignored service again. Returns whether it was ignored. :raises ConfigError: as above."""

    def change(config: Config, document: Any) -> bool:
        if service_id not in config.ignore:
            return False
        ignored = document["discovery"]["ignore"]
        for index in reversed(range(len(ignored))):
            if ignored[index] == service_id:
                del ignored[index]
        return True

    return _edit(file, change)


def create(file: Path, text: str) -> None:
    """Write a new file. :raises ConfigError: there is one already, or it cannot be written."""
    if read(file) is not None:
        raise ConfigError("It exists already and stays as it is. Edit it, or move it away first.", file=file)
    _write(file, text)


def _as(entry: ManualEntry) -> str:
    kind = f" as {entry.kind}" if entry.kind else ""
    return f"{kind}, named {entry.name}" if entry.name else kind


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
            return same and _machine(entry.target.host) == _machine(found.host)
        if "://" not in named:
            return (entry.target.host, entry.target.port, entry.target.path) == (found.host, found.port, found.path)
        return entry.target == found

    return matches


def _machine(host: str) -> str:
    with suppress(ValueError):
        return "localhost" if ip_address(host).is_loopback else host
    return host


def _append(document: Any, key: str, values: dict[str, str | None]) -> None:
    """Append an entry to an array of tables, in the way of writing that the file has."""
    import tomlkit
    from tomlkit.items import Array

    said = {name: value for name, value in values.items() if value is not None}
    present = document.get(key)
    if isinstance(present, Array):  # services = [{ url = … }]
        item = tomlkit.inline_table()
        item.update(said)
        present.append(item)
        return
    table = tomlkit.table()
    table.update(said)
    if present is not None:
        present.append(table)
        return
    tables = tomlkit.aot()
    tables.append(table)
    if document.as_string().strip():
        document.add(tomlkit.nl())
    document.append(key, tables)


def _edit(file: Path, change: Callable[[Config, Any], T]) -> T:
    """Apply ``change`` to the file as settings and as a document, and write what comes out."""
    import tomlkit

    text = read(file) or ""
    config = interpret(text, file)
    document = tomlkit.parse(text)
    result = change(config, document)
    edited = document.as_string()
    if edited != text:
        interpret(edited, file)  # what we write must be right again
        _write(file, edited)
    return result


def _write(file: Path, text: str) -> None:
    """Put ``text`` in place of ``file`` in one step (of what it points to, if it is a symbolic link)."""
    temporary: str | None = None
    try:
        file = file.resolve()
        file.parent.mkdir(parents=True, exist_ok=True)
        mode = file.stat().st_mode & 0o7777 if file.exists() else 0o644
        descriptor, temporary = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        with open(descriptor, "wb") as stream:  # noqa: PTH123 - a descriptor, which Path cannot open
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(file)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
        reason = error.strerror or str(error)
        raise ConfigError(f"It cannot be written ({reason}). Check the folder's permissions.", file=file) from error
