"""Work in a process of its own, as another user or with disks of its own: what root may do says little of users.

The child is a fork, since another user often may not even start the Python of these tests.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNS = 0x20000
_NOBODY = 65534
_LIMIT_S = 20


def missing() -> str | None:
    """Why there can be no such child here, or None when there can."""
    return None if sys.platform == "linux" and os.geteuid() == 0 else "only root can become another user"


@contextmanager
def public_folder() -> Iterator[Path]:
    """A folder that every user can reach; pytest's own are root's."""
    with tempfile.TemporaryDirectory(prefix="hylab-", dir="/tmp", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o777)
        yield Path(name)


def as_nobody(work: Callable[[], object]) -> str:
    """Return what ``work`` returns, or the error that it raises, as a user without rights."""

    def become() -> None:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
        sys.path.clear()  # what is there may be closed to him: what he needs must have been imported

    return _forked(become, work)


def on_disk(folder: Path, options: str, work: Callable[[], object]) -> str:
    """Return the same with a small disk of its own at ``folder`` (tmpfs); it ends with the child."""

    def mount() -> None:
        if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS):
            raise OSError(ctypes.get_errno(), "no mounts of our own")
        for command in (["--make-rprivate", "/"], ["-t", "tmpfs", "-o", options, "tmpfs", str(folder)]):
            subprocess.run(["mount", *command], check=True, capture_output=True, timeout=_LIMIT_S)

    return _forked(mount, work)


def remount_read_only(folder: Path) -> None:
    """Make the disk at ``folder`` read-only, from within the child."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True, capture_output=True, timeout=_LIMIT_S)


def _forked(prepare: Callable[[], None], work: Callable[[], object]) -> str:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # nothing of pytest's may run here
        try:
            os.close(read)
            prepare()
            said = str(work())
        except BaseException as error:  # noqa: BLE001 - it is told to the parent
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode()[:4000])
        os._exit(0)
    os.close(write)
    with open(read, "rb") as answer:  # noqa: PTH123 - a descriptor
        said_back = answer.read().decode()
    os.waitpid(child, 0)
    return said_back
