"""The status file: what the sidecar does now, for ``hybridisco announce status`` and for monitors."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from announcers.files import read_small

log = logging.getLogger(__name__)

SCHEMA = 1
_SIZE_LIMIT = 1024 * 1024  # octets; a backend takes about 400
TOUCH_S = 30.0  # so often it is touched: an older one is that of a sidecar that hangs or was killed


class StatusFile:
    """A JSON document that is replaced in one step, so that a reader never sees half of it.

    A file that cannot be written is told once, and changes nothing else: a full disk must not end an announcement.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written: dict[str, Any] | None = None
        self._told = False

    def write(self, document: dict[str, Any]) -> None:
        """Write the document, if it says something new."""
        if document == self._written:
            return
        name = ""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(document, out, indent=1)
            Path(name).chmod(0o644)  # who may see the announcement may see this, too
            Path(name).replace(self.path)
        except OSError as error:
            if name:
                with suppress(OSError):
                    Path(name).unlink(missing_ok=True)
            self._complain(error)
            return
        self._written, self._told = document, False

    def touch(self) -> None:
        """Say that the sidecar still runs."""
        try:
            os.utime(self.path)
        except OSError:
            self._written = None  # somebody removed it: it is written again

    def remove(self) -> None:
        """Take it away: the sidecar ends. One that another sidecar has put in its place since stays."""
        with suppress(OSError, ValueError, RecursionError):  # where it cannot be read or written
            if self._written is not None and json.loads(read_small(self.path, _SIZE_LIMIT)) == self._written:
                self.path.unlink(missing_ok=True)
        self._written = None

    def _complain(self, error: OSError) -> None:
        level = logging.DEBUG if self._told else logging.WARNING
        self._told = True
        log.log(level, "The status file %s cannot be written (%s).", self.path, error.strerror or error)
