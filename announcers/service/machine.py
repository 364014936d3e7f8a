"""The machine that a service is installed on: its platform, its user, its files, and the programs that it runs."""

from __future__ import annotations

import getpass
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from announcers.service import launchd, systemd, windows
from announcers.service.job import Command, Job, Plan, Scope
from hybridisco import AnnounceError, UsageError, __version__, state_folder

_COMMAND_LIMIT_S = 60
_LINGER = PurePosixPath("/var/lib/systemd/linger")
_HOMES = ("/home", "/root", "/run/user")  # what ProtectHome= hides (systemd.exec(5))
_PASSING = ("/tmp", "/var/tmp")  # what PrivateTmp= hides, and a reboot empties


@dataclass(frozen=True, slots=True)
class Machine:
    """Where plans are carried out. ``system`` is as in :data:`sys.platform`; files lie below ``root``."""

    system: str
    user: str
    uid: int
    home: Path
    program: tuple[str, ...]
    environ: Mapping[str, str]
    root: Path = Path("/")
    python: str = sys.executable

    @classmethod
    def here(cls) -> Machine:
        """Return the machine that we run on."""
        uid = (0 if _windows_admin() else 1) if sys.platform == "win32" else os.geteuid()
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a user without a name
            user = str(uid)
        if sys.platform == "win32":
            user = rf"{os.environ.get('USERDOMAIN', '.')}\{user}"
        return cls(sys.platform, user, uid, Path.home(), _program(), os.environ)

    # -- what is here ---------------------------------------------------------------------------------

    @property
    def privileged(self) -> bool:
        """Whether we may install for the whole machine."""
        return self.uid == 0

    @property
    def manager_runs(self) -> bool:
        """Whether the service manager is there: systemd is not in most containers, WSL1 and some distributions."""
        return self.system != "linux" or self.place(systemd.RUNNING).is_dir()

    def place(self, path: PurePath) -> Path:
        """Return where ``path`` really is, below the root."""
        return Path(path) if self.root == Path("/") else self.root.joinpath(*path.parts[bool(path.anchor) :])

    def text(self, plan: Plan) -> str | None:
        """Return what the plan's file holds now, or None if there is none.

        :raises AnnounceError: it cannot be read.
        """
        try:
            return self.place(plan.file).read_text(plan.encoding)
        except FileNotFoundError:
            return None
        except UnicodeError:
            return ""  # somebody else's, whatever it is
        except OSError as error:
            raise AnnounceError(
                f"{plan.file} cannot be read ({error.strerror or error}). Look at its rights."
            ) from error

    # -- what is to be done ---------------------------------------------------------------------------

    def job(self, scope: Scope, arguments: tuple[str, ...] = ()) -> Job:
        """Return what the service is to run here."""
        program = _windowless(self.python) if self.system == "win32" and scope is Scope.USER else self.program
        return Job(
            program,
            arguments,
            scope,
            __version__,
            self.user,
            self.uid,
            _absolute(self.environ.get("HYBRIDISCO_CONFIG")),
            _absolute(self.environ.get("HYBRIDISCO_STATE")),
            self._folder(scope),
            home_is_read=any(_is_below(str(path), _HOMES) for path in self._parts_of(program[0])),
        )

    def install_plan(self, job: Job) -> Plan:
        """Return what installs the service. :raises UsageError: this platform has no service that we know."""
        if self.system == "linux":
            lingers = self.place(_LINGER / self.user).exists()
            return systemd.install_plan(job, self._units(job.scope), lingers=lingers)
        if self.system == "darwin":
            return launchd.install_plan(job, self._property_lists(job.scope))
        if self.system == "win32":
            return windows.install_plan(job)
        raise _unknown(self.system)

    def uninstall_plan(self, job: Job) -> Plan:
        """Return what removes it. :raises UsageError: this platform has no service that we know."""
        if self.system == "linux":
            return systemd.uninstall_plan(job, self._units(job.scope))
        if self.system == "darwin":
            return launchd.uninstall_plan(job, self._property_lists(job.scope))
        if self.system == "win32":
            return windows.uninstall_plan(job)
        raise _unknown(self.system)

    def hidden(self, job: Job) -> str | None:
        """Return why the service of the machine could not start the program; None if it can."""
        if job.scope is Scope.USER:
            return None
        file = job.program[0]
        if self.system == "win32":
            parts = [part.lower() for part in PureWindowsPath(file).parts]
            return f"{file} belongs to one user" if "users" in parts[:2] else None
        if _is_below(file, _PASSING):
            return f"{file} is in a folder for temporary files, which is emptied"
        for path in self._parts_of(file):
            for part in map(self.place, reversed((path, *path.parents))):
                if part != self.root and not part.stat().st_mode & stat.S_IXOTH:
                    return f"only some users may use {part}"
        return None

    def _parts_of(self, file: str) -> tuple[PurePosixPath, ...]:
        """Return what must be there to start ``file``: itself and the Python beside it, and what these lead to."""
        if self.system == "win32":
            return ()
        beside = (self.place(path) for path in (PurePosixPath(file), PurePosixPath(file).with_name("python")))
        there = [path for path in beside if path.exists()]
        below = [path for path in (*there, *(path.resolve() for path in there)) if path.is_relative_to(self.root)]
        return tuple(PurePosixPath("/") / path.relative_to(self.root) for path in below)

    def run(self, command: Command) -> str | None:
        """Run a program; return what it says when it fails, None when all went well."""
        try:
            done = subprocess.run(
                command.argv,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_COMMAND_LIMIT_S,
                check=False,
                stdin=subprocess.DEVNULL,
                env=dict(self.environ),
            )
        except FileNotFoundError:
            return f"there is no program {command.argv[0]}"
        except subprocess.TimeoutExpired:
            return f"it did not end within {_COMMAND_LIMIT_S} s"
        except OSError as error:
            return error.strerror or str(error)
        said = " ".join((done.stderr or done.stdout).split())
        return None if done.returncode == 0 else said or f"exit status {done.returncode}"

    # -- places ---------------------------------------------------------------------------------------

    def _folder(self, scope: Scope) -> str:
        if scope is Scope.USER:
            return str(state_folder())
        if self.system == "win32":
            return str(PureWindowsPath(self.environ.get("ProgramData", r"C:\ProgramData")) / "Hybridisco")
        return launchd.STATE_FOLDER if self.system == "darwin" else systemd.STATE_FOLDER

    def _units(self, scope: Scope) -> PurePosixPath:
        if scope is Scope.SYSTEM:
            return systemd.SYSTEM_FOLDER
        base = self.environ.get("XDG_CONFIG_HOME") or str(self.home / ".config")
        return PurePosixPath(base) / "systemd" / "user"

    def _property_lists(self, scope: Scope) -> PurePosixPath:
        return launchd.DAEMONS if scope is Scope.SYSTEM else PurePosixPath(self.home) / launchd.AGENTS


def _program() -> tuple[str, ...]:
    """Return how this very installation is started: its script, else Python with the module."""
    script = Path(sys.executable).with_name("hybridisco.exe" if sys.platform == "win32" else "hybridisco")
    if script.is_file():
        return (str(script),)
    found = shutil.which("hybridisco") if Path(sys.argv[0]).name.startswith("hybridisco") else None
    return (found,) if found else (sys.executable, "-m", "hybridisco")


def _windowless(python: str) -> tuple[str, ...]:
    """Return a program that opens no console window at the user's desktop."""
    return (str(PureWindowsPath(python).with_name("pythonw.exe")), "-m", "hybridisco")


def _windows_admin() -> bool:
    if sys.platform != "win32":
        return False
    import ctypes

    return bool(ctypes.windll.shell32.IsUserAnAdmin())


def _absolute(path: str | None) -> str | None:
    return str(Path(path).expanduser().absolute()) if path else None


def _is_below(file: str, folders: tuple[str, ...]) -> bool:
    return any(PurePosixPath(file).is_relative_to(folder) for folder in folders)


def _unknown(system: str) -> UsageError:
    return UsageError(
        f"There is no way to install a service on {system} here. Let your own service manager run `hybridisco "
        "announce`, as the same user each time, and restart it when it ends with a status other than 0."
    )
