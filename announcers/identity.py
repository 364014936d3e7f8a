"""The id of an announced backend: random, kept in the state folder, bound to this machine.

One small file for each (kind, port). It also holds a fingerprint of the machine, so that a state folder that was
copied to another machine gives new ids there instead of a clone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import re
import secrets
import sys
import tempfile
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from announcers.files import read_small
from hybridisco import AnnounceError

log = logging.getLogger(__name__)

_ID_OCTETS = 16  # 128 random bits: 26 characters of base32
_ID = re.compile(r"[a-z2-7]{26}")
_MACHINE_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")
_SIZE_LIMIT = 4096  # octets; ours have about 100


def service_id(folder: Path, kind: str, port: int) -> str:
    """Return the id for ``kind`` at ``port``, the same at every start on this machine.

    :raises AnnounceError: the state folder cannot be written.
    """
    return kept(folder / "ids" / f"{kind}-{port}.json", "id", _ID, _new_id, f"the id of {kind}")


def _new_id() -> str:
    return base64.b32encode(secrets.token_bytes(_ID_OCTETS)).decode().rstrip("=").lower()


def kept(file: Path, field: str, pattern: re.Pattern[str], make: Callable[[], str], what: str) -> str:
    """Return what a file of this machine holds; it is made where there is none, or one of another machine.

    A damaged file is put aside, and one that cannot be read now stays: neither is ever lost by us.

    :param what: what it is, for people.
    :raises AnnounceError: the file is there and cannot be read, or it cannot be written.
    """
    machine = machine_fingerprint()
    there = os.path.lexists(file)  # says no, rather than raise, where the folder may not be entered
    found = _read(file, field, pattern)
    if found is not None and found.get("machine") == machine:
        return found[field]
    if found is not None:
        log.info("The state folder comes from another machine; %s is made anew.", what)
    elif there:
        _put_aside(file, what)
    made = make()
    _write(file, {field: made, "machine": machine}, over=there)
    # Whoever was first, if two sidecars start at once, has made that of both.
    now_kept = _read(file, field, pattern)
    return now_kept[field] if now_kept is not None and now_kept.get("machine") == machine else made


def machine_fingerprint() -> str:
    """Return a value that stays the same on this machine and differs on every other. It tells nothing else."""
    told = next((said for name in _MACHINE_FILES if (said := _told_by(Path(name)))), "")
    if not told and sys.platform == "win32":
        told = _windows_machine_guid()
    if not told:
        node = uuid.getnode()
        told = "" if node >> 40 & 1 else f"{node:012x}"  # that bit marks a number that was made up just now
    return hashlib.sha256(f"hybridisco {told.strip()}".encode()).hexdigest()[:32]


def _told_by(file: Path) -> str:
    """Return what a file says. :raises AnnounceError: it is there, but cannot be read: guessing would cost all ids."""
    try:
        return read_small(file, _SIZE_LIMIT).decode("utf-8", "replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise AnnounceError(
            f"{file}, which tells this machine from others, cannot be read ({error.strerror or error}). Make it "
            "readable for everybody, as it is on every Linux."
        ) from error


def _windows_machine_guid() -> str:
    if sys.platform != "win32":
        return ""
    import winreg

    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key:
        return str(winreg.QueryValueEx(key, "MachineGuid")[0])


def _read(file: Path, field: str, pattern: re.Pattern[str]) -> dict[str, str] | None:
    """Return what the file holds; None when there is none or it is damaged.

    :raises AnnounceError: it is there, but cannot be read: a moment later or another user may be able to.
    """
    try:
        data = read_small(file, _SIZE_LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise AnnounceError(
            f"{file} cannot be read ({error.strerror or error}), so it is left as it is: without it the backend would "
            "look like a new one. Probably it belongs to another user. Make it readable for the user that the sidecar "
            "runs as, or remove it."
        ) from error
    try:
        kept = json.loads(data)
    except (ValueError, RecursionError):
        return None
    good = isinstance(kept, dict) and all(isinstance(kept.get(key), str) for key in (field, "machine"))
    return kept if good and pattern.fullmatch(kept[field]) else None


def _put_aside(file: Path, what: str) -> None:
    """Keep what is damaged: somebody may be able to read it all the same."""
    aside = file.with_name(f"{file.name}.damaged")
    log.warning("%s holds nothing of use, and is now %s; %s is made anew.", file, aside.name, what)
    with suppress(OSError):  # a link that leads nowhere, or a folder that takes none: writing tells why
        file.replace(aside)


def _write(file: Path, content: dict[str, str], *, over: bool) -> None:
    """Write at once or not at all: a crash in the middle leaves the old file.

    :param over: replace a file that is there; otherwise one that has come meanwhile stays.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(content, out)
                out.flush()
                os.fsync(out.fileno())
            if over or not _linked(name, file):
                Path(name).replace(file)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise AnnounceError(
            f"The file {file.name} could not be kept in {file.parent} ({error.strerror or error}). Without it the "
            "backend would look like a new one at every start. Make the folder writable, or set HYBRIDISCO_STATE to "
            "another one."
        ) from error


def _linked(name: str, file: Path) -> bool:
    """Put ``name`` in place unless there is a file already; False where the file system has no links."""
    try:
        file.hardlink_to(name)
    except FileExistsError:
        return True
    except OSError:
        return False
    return True
