"""Reading and replacing a file of keys: within bounds, in one step, and never through something that is no file."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from hybridisco.config import regular
from hybridisco.config.atomic import put
from hybridisco.core.errors import ConfigError

SIZE_LIMIT = 1024 * 1024  # octets; a file with the 4096 keys that are allowed has about 600 KiB
_NEW_MODE = 0o600  # like ssh's: which machines somebody knows is nobody else's business

#: What tells one state of a file from another; None while there is none, or it cannot be looked at.
Mark = tuple[int, ...] | None


def mark(file: Path) -> Mark:
    """Return the state of ``file``, by a look that costs some microseconds."""
    try:
        return _mark(file.stat())
    except (OSError, ValueError):
        return None


def _mark(seen: os.stat_result) -> Mark:
    return (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


def read(file: Path) -> tuple[bytes, Mark, bool]:
    """Return what is in ``file``, its state then, and whether that is all: no more than :data:`SIZE_LIMIT` is read.

    :raises ConfigError: it cannot be read. A file that is missing is empty.
    """
    try:
        data, seen = regular.read(file, SIZE_LIMIT)
    except FileNotFoundError:
        return b"", None, True
    except regular.NotAFileError as error:
        raise ConfigError("This is not a file. Move it away: a file of keys is kept here.", file=file) from error
    except IsADirectoryError as error:
        raise ConfigError("This is a folder. Move it away: a file of keys is kept here.", file=file) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ConfigError(
            f"The keys in it cannot be read ({_reason(error)}). Check its path and its permissions.", file=file
        ) from error
    if len(data) <= SIZE_LIMIT:
        return data, _mark(seen), True
    return data[: data.rfind(b"\n", 0, SIZE_LIMIT) + 1], _mark(seen), False


def make_folder(file: Path) -> None:
    """Make the folder of ``file``, which also holds the lock. What goes wrong, :func:`replace` tells."""
    with suppress(OSError, RuntimeError, ValueError):
        file.resolve().parent.mkdir(parents=True, exist_ok=True)


def replace(file: Path, data: bytes) -> None:
    """Put ``data`` in place of ``file`` in one step (of what it points to, if it is a symbolic link).

    :raises ConfigError: it cannot be written.
    """
    try:
        put(file.resolve(), data, new_mode=_NEW_MODE)
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links that lead to each other
        raise ConfigError(
            f"The keys cannot be written ({_reason(error)}). Make its folder writable, or set HYBRIDISCO_STATE to "
            "another one.",
            file=file,
        ) from error


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
