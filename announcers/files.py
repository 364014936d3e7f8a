"""Reading the small files that a sidecar keeps: whatever somebody has put there, it neither waits nor swells."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_small(file: Path, limit: int) -> bytes:
    """Return what a file holds, a little more than ``limit`` octets at the most.

    :raises OSError: there is none, or it cannot be read, or it is no regular file: a pipe could be waited for, and a
        device read, for ever.
    :raises ValueError: the path has a NUL in it.
    """
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(file))
        data = b""
        while len(data) <= limit and (more := os.read(descriptor, limit + 1 - len(data))):
            data += more
        return data
    finally:
        os.close(descriptor)
