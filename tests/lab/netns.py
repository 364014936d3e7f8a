"""Network namespaces by iproute2: the commands, the names, and entering one with this thread.

A name is ``hylab-<pid>-<start time of that process>-<random>-<what>``: unique, and it tells whose it is, so
that what a killed run left behind can be found and removed.
"""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .wait import LabError

RUN_NETNS = Path("/run/netns")
CLONE_NEWNET = 0x40000000  # <sched.h>; os.CLONE_NEWNET comes with Python 3.12
COMMAND_TIMEOUT_S = 20.0  # a namespace command takes milliseconds; this only bounds a stuck kernel

_PREFIX = "hylab"
_NAME = re.compile(rf"{_PREFIX}-(\d+)-(\d+)-.+")


def ip(*arguments: str, namespace: str | None = None) -> str:
    """Run ``ip`` (inside ``namespace``) and return what it printed; raise ``LabError`` with its own words."""
    where = ("-n", namespace) if namespace else ()
    return _run(["ip", *where, *arguments])


def ip_batch(namespace: str, *commands: str) -> None:
    """Run several ``ip`` commands inside one namespace in one process."""
    _run(["ip", "-n", namespace, "-batch", "-"], "\n".join(commands) + "\n")


def _run(argv: list[str], stdin: str = "") -> str:
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{' '.join(argv)}: {error}") from error
    if done.returncode:
        raise LabError(f"{' '.join(argv)} {stdin!r}: {done.stderr.strip() or f'exit {done.returncode}'}")
    return done.stdout


def add_namespace(what: str) -> str:
    """Make a namespace with its loopback up; return its name."""
    name = f"{owned_prefix()}{secrets.token_hex(3)}-{what}"
    ip("netns", "add", name)
    ip("link", "set", "lo", "up", namespace=name)
    return name


def remove_namespace(name: str) -> None:
    """Kill what still runs in a namespace and remove it; one that is not there (any more) is fine."""
    try:
        for pid in ip("netns", "pids", name).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        ip("netns", "delete", name)
    except LabError:
        if (RUN_NETNS / name).exists():
            raise


def owned_prefix() -> str:
    """How the names of all that this process makes begin: namespaces, and folders for temporary files."""
    pid = os.getpid()
    return f"{_PREFIX}-{pid}-{_start_time(pid)}-"


def remove_leftovers() -> None:
    """Remove the namespaces, processes and folders of runs that are gone."""
    for path in RUN_NETNS.glob(f"{_PREFIX}-*"):
        if _owner_is_gone(path.name):
            remove_namespace(path.name)
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}-*"):
        if _owner_is_gone(path.name):
            shutil.rmtree(path, ignore_errors=True)


def _owner_is_gone(name: str) -> bool:
    match = _NAME.fullmatch(name)
    return match is not None and _start_time(int(match[1])) != match[2]


def _start_time(pid: int) -> str | None:
    """When a process started, in clock ticks since boot (proc(5), field 22); None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[19]


@contextmanager
def entered(name: str) -> Iterator[None]:
    """Put this thread into a namespace: sockets made inside stay there for good, the thread comes back."""
    with Path("/proc/thread-self/ns/net").open("rb") as home, (RUN_NETNS / name).open("rb") as there:
        _set_namespace(there.fileno())
        try:
            yield
        finally:
            _set_namespace(home.fileno())


def _set_namespace(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET):
        code = ctypes.get_errno()
        raise LabError(f"cannot enter the network namespace: {os.strerror(code)}")


def set_sysctls(name: str, values: dict[str, int]) -> None:
    """Write ``net/…`` kernel settings of one namespace."""
    with entered(name):
        for key, value in values.items():
            try:
                Path("/proc/sys/net", key).write_text(str(value), encoding="ascii")
            except OSError as error:
                raise LabError(f"cannot set net/{key}: {error}") from error
