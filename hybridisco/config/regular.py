"""Reading a file that somebody may have put something else in place of: within bounds, and without waiting for it."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class NotAFileError(OSError):
    """There is something else: a named pipe, a device, a socket."""


def read(file: Path, limit: int) -> tuple[bytes, os.stat_result]:
    """Return what is in ``file``, and its state then. One octet more than ``limit`` tells that there is more.

    :raises FileNotFoundError: there is none.
    :raises IsADirectoryError: it is a folder.
    :raises OSError: it cannot be read, or is no file (:class:`NotAFileError`).
    :raises ValueError: no file can have such a name.
    """
    # A named pipe would keep us waiting for whoever writes into it.
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        seen = os.fstat(descriptor)
        if stat.S_ISDIR(seen.st_mode):
            raise IsADirectoryError("this is a folder")
        if not stat.S_ISREG(seen.st_mode):
            raise NotAFileError("this is not a file")
        # The descriptor stays ours: of what it does not like, open() neither makes a stream nor closes it.
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read(limit + 1), seen
    finally:
        os.close(descriptor)
