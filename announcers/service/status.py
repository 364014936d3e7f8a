"""The status file of a running sidecar: where it is, and what it says. It is read defensively: it may be missing, half
written, huge, of another version, or left by a process that is no more.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from announcers.files import read_small
from announcers.service import launchd
from announcers.service.job import STATUS_FILE
from hybridisco import AnnounceError

SCHEMA = 1
FRESH_S = (
    120.0  # the sidecar touches the file every 30 s: four times nothing means that it hangs, or that the machine slept
)

_SIZE_LIMIT = 1024 * 1024  # octets; a backend takes about 400
_BACKENDS = 256
_TEXT = 300  # characters
_DEPTH = 16  # a sidecar writes lists of objects of lists


class StatusError(AnnounceError):
    """The status file cannot be read as one."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One line of the table. ``state`` and ``status`` are as the sidecar says them, known or not."""

    kind: str
    name: str
    port: int | None
    state: str
    status: str | None
    reason: str | None
    addresses: tuple[str, ...]
    since: datetime | None
    id: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """What the file says, and what is true of it: ``problem`` is why the sidecar does not run, if so."""

    file: Path
    pid: int | None
    version: str
    host: str
    started: datetime | None
    touched: datetime
    interfaces: tuple[str, ...]
    fingerprint: str | None
    backends: tuple[Backend, ...]
    problem: str | None
    document: Mapping[str, Any]

    @property
    def running(self) -> bool:
        """Whether the sidecar that wrote it is at work."""
        return self.problem is None

    @property
    def announced(self) -> int:
        """How many backends are on the LAN now."""
        return sum(backend.state == "announced" for backend in self.backends) if self.running else 0


def candidates(state: Path, environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Return where a sidecar of this machine may have written it: ours, then those of the services."""
    if sys.platform == "win32":
        services = [Path(environ.get("ProgramData", r"C:\ProgramData")) / "Hybridisco"]
    elif sys.platform == "darwin":
        services = [Path(launchd.STATE_FOLDER)]
    else:
        runtime = environ.get("XDG_RUNTIME_DIR")
        services = [*([Path(runtime) / "hybridisco"] if runtime else []), Path("/run/hybridisco")]
    return tuple(folder / STATUS_FILE for folder in (state, *services))


def find(files: tuple[Path, ...], now: datetime) -> Report | None:
    """Return what the first sidecar that runs says, else the last that did; None if there never was one.

    :raises StatusError: there is none but one that cannot be read.
    """
    reports: list[Report] = []
    trouble: StatusError | None = None
    for file in files:
        try:
            report = read(file, now)
        except StatusError as error:
            trouble = trouble or error
            continue
        if report is not None and report.running:
            return report
        reports += [report] if report is not None else []
    if trouble is not None:
        raise trouble
    return max(reports, key=lambda report: report.touched, default=None)


def read(file: Path, now: datetime) -> Report | None:
    """Return what ``file`` says, or None if there is none.

    :raises StatusError: it is there, but is no status of a sidecar.
    """
    try:
        data = read_small(file, _SIZE_LIMIT)
        touched = _moment(file.stat().st_mtime)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StatusError(
            f"{file} cannot be read ({reason}). Probably the sidecar runs as another user. Ask as that user or as root."
        ) from error
    if len(data) > _SIZE_LIMIT:
        raise StatusError(f"{file} has more than {_SIZE_LIMIT} bytes, so it is no status of a sidecar. Check the path.")
    try:
        document = json.loads(data)
        _refuse_absurd(document)
    except (ValueError, RecursionError) as error:
        raise StatusError(
            f"{file} is no whole status of a sidecar ({error}). Probably the disk is full, or the file is another. "
            "The sidecar writes it anew when something changes; to have it now, restart it."
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("schema"), int):
        raise StatusError(f"{file} is JSON, but no status of a sidecar. Check the path.")
    if document["schema"] != SCHEMA:
        raise StatusError(
            f"{file} was written by another version of Hybridisco (schema {document['schema']}, not {SCHEMA}). "
            "Ask with the `hybridisco` that the service runs, or install the service again with this one."
        )
    return _report(file, document, touched, now)


def _moment(seconds: float) -> datetime:
    """Return a file's time; for one that no calendar has, the calendar's last year or first."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OSError, OverflowError, ValueError):
        return datetime(9999 if seconds > 0 else 1, 1, 1, tzinfo=UTC)


def _refuse_absurd(document: object) -> None:
    """Refuse what could be read, but not be written again as JSON. :raises ValueError: it is too deep, or no number."""
    level = [document]
    for _ in range(_DEPTH):
        inner = [each for each in level if isinstance(each, dict | list)]
        level = [value for each in inner for value in (each.values() if isinstance(each, dict) else each)]
        if any(isinstance(value, float) and not math.isfinite(value) for value in level):
            raise ValueError("a number in it is none")
        if not level:
            return
    raise ValueError(f"it is more than {_DEPTH} levels deep")


def _report(file: Path, document: dict[str, Any], touched: datetime, now: datetime) -> Report:
    backends = document.get("backends")
    pid = document.get("pid")
    pid = pid if isinstance(pid, int) and not isinstance(pid, bool) and 0 < pid < 2**31 else None
    return Report(
        file=file,
        pid=pid,
        version=_text(document.get("version")) or "?",
        host=_text(document.get("host")) or "?",
        started=_time(document.get("started")),
        touched=touched,
        interfaces=_texts(document.get("interfaces")),
        fingerprint=_text(document.get("fingerprint")),
        backends=tuple(
            _backend(entry)
            for entry in (backends[:_BACKENDS] if isinstance(backends, list) else ())
            if isinstance(entry, dict)
        ),
        problem=_problem(pid, touched, now),
        document=document,
    )


def _problem(pid: int | None, touched: datetime, now: datetime) -> str | None:
    if pid is not None and not _is_alive(pid):
        return f"The sidecar that wrote it (process {pid}) has ended."
    age_s = (now - touched).total_seconds()
    if age_s > FRESH_S:
        return f"Nothing was heard of it for {age_s:.0f} s: the sidecar has ended, or hangs."
    if age_s < -FRESH_S:
        return f"Its file is of {-age_s:.0f} s in the future: the clock of this machine has changed."
    return None


def _is_alive(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # there is no harmless signal there; the age of the file has to do
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _backend(entry: Mapping[str, Any]) -> Backend:
    port = entry.get("port")
    kind = _text(entry.get("kind")) or "?"
    return Backend(
        kind=kind,
        name=_text(entry.get("name")) or kind,
        port=port if isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65536 else None,
        state=_text(entry.get("state")) or "?",
        status=_text(entry.get("status")),
        reason=_text(entry.get("reason")),
        addresses=_texts(entry.get("addresses")),
        since=_time(entry.get("since")),
        id=_text(entry.get("id")),
    )


def _texts(value: object) -> tuple[str, ...]:
    found = [_text(each) for each in value[:_BACKENDS]] if isinstance(value, list) else []
    return tuple(each for each in found if each)


def _text(value: object) -> str | None:
    """Return a text that a terminal may show."""
    if not isinstance(value, str):
        return None
    return "".join(char if char.isprintable() else " " for char in value[:_TEXT]).strip() or None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: a zone moves it out of the calendar
        return None
