"""Putting a file in place in one step: a crash in the middle leaves the old one, and a reader never sees half of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def put(file: Path, data: bytes, *, new_mode: int, before: Callable[[], None] = lambda: None) -> None:
    """Put ``data`` in place of ``file``, which is no symbolic link.

    Mode and owner stay as they are: who edits as root must not lock the user out of the user's own file.

    :param new_mode: the mode of a file that was not there.
    :param before: called when all is written, before the old file goes; what it raises leaves that one in place.
    :raises OSError: it cannot be written.
    """
    old = file.stat() if file.exists() else None
    descriptor, temporary = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with open(descriptor, "wb") as stream:  # noqa: PTH123 - a descriptor, which Path cannot open
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if old is not None and hasattr(os, "chown"):
            with suppress(OSError):  # only root may
                os.chown(temporary, old.st_uid, old.st_gid)
        Path(temporary).chmod(old.st_mode & 0o7777 if old else new_mode)
        before()
        Path(temporary).replace(file)
    finally:
        with suppress(OSError):
            Path(temporary).unlink(missing_ok=True)
