"""One machine of the lab: a network namespace, and programs that run in it."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import netns
from .interface import Interface
from .process import Process
from .wait import LabError

if TYPE_CHECKING:
    from .net import Lab

REPOSITORY = Path(__file__).parents[2]
RUN_TIMEOUT_S = 30.0

# What every process of a host starts with: its own host name and files, then the program itself.
_PROLOGUE = """\
echo "$0" > /proc/sys/kernel/hostname
for name in hosts machine-id; do
    if [ -e /etc/$name ]; then mount --bind "$LAB_ETC/$name" /etc/$name || exit 125; fi
done
unset LAB_ETC
exec "$@"
"""


def python(*arguments: str) -> list[str]:
    """The command line that runs our own interpreter: ``host.run(python("-m", "hybridisco", "list"))``."""
    return [sys.executable, *arguments]


class Host:
    """One machine of the lab."""

    def __init__(self, lab: Lab, name: str) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name):
            raise LabError(f"not a host name: {name!r}")
        self.lab = lab
        self.name = name
        self.directory = lab.directory / name  # this host's files; also its $HOME
        self.interfaces: list[Interface] = []
        self.namespace = netns.add_namespace(name)
        lab.namespaces.append(self.namespace)
        self._started: list[Process] = []
        self._logs = itertools.count(1)
        self._without_ipv6: set[str] = set()
        self._make_files()
        # No duplicate address detection (addresses can be used at once), no router to look for.
        keys = ("accept_dad", "dad_transmits", "router_solicitations", "accept_ra")
        scopes = ("all", "default")
        netns.set_sysctls(self.namespace, {f"ipv6/conf/{scope}/{key}": 0 for scope in scopes for key in keys})

    def __repr__(self) -> str:
        return f"<host {self.name}: {', '.join(self.addresses)}>"

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses of all its interfaces but loopback, without prefix and zone."""
        return tuple(address for interface in self.interfaces for address in interface.addresses)

    def has_no_ipv6(self, interface: str) -> bool:
        return interface in self._without_ipv6

    def command(self, argv: Sequence[str]) -> list[str]:
        """``argv`` wrapped so that it runs in this host; the pid stays that of the program."""
        inside = ["ip", "netns", "exec", self.namespace, "unshare", "--uts"]
        return [*inside, "sh", "-c", _PROLOGUE, self.name, *argv]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """This process's environment with a home of its own and no settings of the user, then ``more``."""
        private = ("XDG_", "HYBRIDISCO_", "DBUS_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(private)}
        etc = str(self.directory / "etc")
        return {**kept, "HOME": str(self.directory / "home"), "LAB_ETC": etc, **(more or {})}

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = RUN_TIMEOUT_S,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        **more: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, its output as text; a bad exit raises unless ``check=False``."""
        options: dict[str, Any] = {"capture_output": True, "text": True, "cwd": REPOSITORY, **more}
        done = subprocess.run(self.command(argv), timeout=timeout, env=self.environment(env), **options)
        if check and done.returncode:
            raise LabError(f"{self.name}: {argv} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def popen(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, **more: Any) -> subprocess.Popen[str]:
        """Start a program and leave its pipes to the caller; it is killed with the lab at the latest."""
        options: dict[str, Any] = {"text": True, "cwd": REPOSITORY, "start_new_session": True, **more}
        popen = subprocess.Popen(self.command(argv), env=self.environment(env), **options)
        self._started.append(Process(popen, Path(os.devnull)))
        return popen

    def start(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, **more: Any) -> Process:
        """Start a program with its output in a log file that can be waited on."""
        path = self.directory / f"{next(self._logs)}-{Path(argv[0]).name}.log"
        with path.open("w", encoding="utf-8") as log:
            popen = self.popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **more)
        return Process(popen, path)

    def entered(self) -> AbstractContextManager[None]:
        """This thread in this host's network: ``with host.entered(): socket.create_server(…)``."""
        return netns.entered(self.namespace)

    def disable_ipv6(self, interface: str) -> None:
        """An interface with no IPv6 at all, not even a link-local address."""
        self._without_ipv6.add(interface)
        netns.set_sysctls(self.namespace, {f"ipv6/conf/{interface}/disable_ipv6": 1})

    def kill_all(self) -> None:
        """The power cut: everything this lab started in the host ends at once, without a goodbye."""
        for process in self._started:
            process.kill()
            for pipe in (process.popen.stdin, process.popen.stdout, process.popen.stderr):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
        self._started.clear()

    def _make_files(self) -> None:
        etc = self.directory / "etc"
        etc.mkdir(parents=True)
        (self.directory / "home").mkdir()
        (etc / "machine-id").write_text(f"{uuid.uuid4().hex}\n", encoding="ascii")
        lines = f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 {self.name}\n"
        (etc / "hosts").write_text(lines, encoding="ascii")
