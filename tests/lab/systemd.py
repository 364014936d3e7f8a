"""A machine run by a real systemd inside a lab host: its own processes and services, the lab host's network.

    with Systemd(host) as box:
        box.run("hybridisco", "announce", "install")

systemd-nspawn starts it on a throw-away layer over this machine's own file system, so nothing has to be installed and
nothing remains. ``hybridisco`` in there is the one under test, in ``/opt/hybridisco`` where everybody may use it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

from .host import REPOSITORY, Host
from .process import Process
from .wait import LabError, wait_until

START_TIMEOUT_S = 40.0  # about 4 s on an idle machine
RUN_TIMEOUT_S = 60.0

_PROGRAMS = ("systemd-nspawn", "nsenter", "systemctl", "journalctl")
_BIN = "/opt/hybridisco/bin"
_SOURCES, _PACKAGES = "/srv/hybridisco", "/srv/packages"
_SCRIPT = f"""\
#!{_BIN}/python
import sys
sys.path[:0] = ["{_SOURCES}", "{_PACKAGES}"]
from hybridisco.faces.cli import main
sys.exit(main())
"""
#: What this machine starts at boot is none of the test's business.
_QUIET = ("multi-user.target.wants", "sockets.target.wants", "timers.target.wants", "getty.target.wants")
_MASKED = ("systemd-timesyncd", "systemd-networkd", "systemd-resolved", "avahi-daemon", "console-getty", "apt-daily")


def systemd_available() -> str | None:
    """Why no systemd can be started here, or None when it can."""
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: systemd-container, util-linux, systemd)"
    return None if os.geteuid() == 0 else "a systemd of its own needs root"


class Systemd:
    """A booted systemd in ``host``: a context manager, entered when it has started everything."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._layer = host.directory / "systemd"
        self.root = self._layer / "root"
        self._nspawn: Process | None = None

    def __enter__(self) -> Self:
        if reason := systemd_available():
            raise LabError(reason)
        try:
            self._mount()
            self._furnish()
            self._boot()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program in there, as root, to its end."""
        inside = ["nsenter", "--target", str(self._leader()), "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup"]
        environ = {"PATH": f"{_BIN}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
        done = subprocess.run(
            [*inside, *argv], capture_output=True, text=True, timeout=RUN_TIMEOUT_S, env=environ, check=False
        )
        if check and done.returncode:
            raise LabError(f"{argv} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.run("systemctl", "show", "--value", "--property", name, unit).stdout.strip()

    def journal(self, unit: str) -> str:
        """What a service has logged."""
        return self.run("journalctl", "--no-pager", "--output=cat", "--unit", unit).stdout

    # -- the parts ------------------------------------------------------------------------------------

    def _mount(self) -> None:
        self._layer.mkdir(exist_ok=True)
        _call("mount", "-t", "tmpfs", "tmpfs", str(self._layer))
        upper, work = self._layer / "upper", self._layer / "work"
        for folder in (upper, work, self.root):
            folder.mkdir()
        options = f"lowerdir=/,upperdir={upper},workdir={work}"
        _call("mount", "-t", "overlay", "overlay", "-o", options, str(self.root))

    def _furnish(self) -> None:
        etc = self.root / "etc"
        (etc / "hostname").write_text(f"{self.host.name}\n")
        (etc / "machine-id").write_text(f"{uuid.uuid4().hex}\n")
        for folder in _QUIET:
            shutil.rmtree(etc / "systemd/system" / folder, ignore_errors=True)
        for name in _MASKED:
            _call("ln", "-sf", "/dev/null", str(etc / f"systemd/system/{name}.service"))
        bin_folder = self.root / _BIN.lstrip("/")
        shutil.rmtree(bin_folder.parent, ignore_errors=True)
        bin_folder.mkdir(parents=True)
        python = Path(sys.executable).resolve()
        for part in python.parents[:-1]:  # whoever runs the tests may keep Python at home
            (self.root / part.relative_to("/")).chmod(0o755)
        (bin_folder / "python").symlink_to(python)
        (bin_folder / "hybridisco").write_text(_SCRIPT)
        (bin_folder / "hybridisco").chmod(0o755)
        for folder in (_SOURCES, _PACKAGES):
            (self.root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def _boot(self) -> None:
        binds = [
            f"--bind-ro={REPOSITORY}:{_SOURCES}",
            f"--bind-ro={sysconfig.get_paths()['purelib']}:{_PACKAGES}",
        ]
        options = ["--register=no", "--keep-unit", "--console=pipe", f"--machine={self.host.name}", *binds]
        network = f"--network-namespace-path=/run/netns/{self.host.namespace}"
        argv = ["systemd-nspawn", "--boot", f"--directory={self.root}", network, *options]
        path = self.host.directory / "systemd-nspawn.log"
        with path.open("w", encoding="utf-8") as log:
            # Not from within the namespace: what `ip netns exec` mounts would hide the control groups.
            popen = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True, start_new_session=True
            )
        self._nspawn = Process(popen, path)
        wait_until(self._is_up, START_TIMEOUT_S, "systemd has started everything")

    def _is_up(self) -> bool:
        if self._nspawn is not None and not self._nspawn.running:
            raise LabError(f"systemd-nspawn ended:\n{self._nspawn.log}")
        try:
            said = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        except LabError:
            return False
        return said in ("running", "degraded")

    def _leader(self) -> int:
        """The process that is number 1 in there."""
        assert self._nspawn is not None
        pid = self._nspawn.popen.pid
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError as error:
            raise LabError(f"systemd-nspawn is gone: {error}") from error
        if not children:
            raise LabError("systemd has not started yet")
        return int(children[0])

    def _end(self) -> None:
        if self._nspawn is not None:
            self._nspawn.stop()
        for folder in (self.root, self._layer):
            subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)


def _call(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(argv)}: {done.stderr.strip()}")
