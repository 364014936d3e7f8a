"""One writer at a time: a lock beside the user's file, from reading it to putting the new one in place.

The lock is the system's, on a file of its own: it ends with the process that holds it, however that ends, so an
old lock never has to be removed by hand. The lock file is removed by whoever held it last.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hybridisco.core.errors import ConfigError

_LIMIT_S = 5.0  # an edit takes some 10 ms: who holds it longer has stopped
_PAUSE_S = 0.02
_BUSY = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK})


@contextmanager
def alone(file: Path, *, limit_s: float = _LIMIT_S) -> Iterator[None]:
    """Keep every other writer of ``file`` waiting. Where no lock can be made, go on without one.

    A folder that takes no lock file takes no new config file either: reading and writing tell why.

    :raises ConfigError: another one writes and does not end.
    """
    try:
        real = file.resolve()  # two links to one file share its lock
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL
        yield
        return
    place = real.with_name(f".{real.name}.lock") if real.name else None
    held = None if place is None else _wait(place, file, limit_s)
    try:
        yield
    finally:
        if held is not None and place is not None:
            _release(held, place)


def _wait(place: Path, file: Path, limit_s: float) -> int | None:
    """Return the lock, held, or None if there can be none here. :raises ConfigError: it does not get free."""
    end = time.monotonic() + limit_s
    while True:
        try:
            descriptor = _open(place)
            if descriptor is None:
                return None
            if _take(descriptor, place):
                return descriptor
        except OSError as error:
            if error.errno not in _BUSY:
                return None  # a file system without locks
        if time.monotonic() >= end:
            raise ConfigError(
                "Another program is changing it and does not finish. Try again; if that does not help, look for a "
                f"`hybridisco` that hangs and end it (it holds {place.name}).",
                file=file,
            )
        time.sleep(_PAUSE_S)


def _open(place: Path) -> int | None:
    try:
        # Not through a link: somebody else may have put one into a folder that all can write to.
        return os.open(place, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except PermissionError:
        if place.exists():  # another user's; on Windows also one that is being removed
            raise
        return None


def _take(descriptor: int, place: Path) -> bool:
    """Take the lock, and tell whether it is still the one that others see: its last holder removes the file."""
    try:
        _lock(descriptor)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), place.stat()):
                return True
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return False


def _release(descriptor: int, place: Path) -> None:
    if sys.platform == "win32":
        os.close(descriptor)  # an open file cannot be removed there, which is what keeps the next holder's
        with suppress(OSError):
            place.unlink()
    else:
        with suppress(OSError):
            place.unlink()
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
