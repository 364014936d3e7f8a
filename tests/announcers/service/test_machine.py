"""Where plans are carried out: places, rights, and what a service could not start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from announcers.service.job import Command, Scope
from announcers.service.machine import Machine
from hybridisco import UsageError
from tests.announcers.service.conftest import Programs


def test_the_machine_that_we_are_on_knows_itself() -> None:
    machine = Machine.here()
    assert Path(machine.program[0]).is_file()
    assert machine.user
    assert machine.root == Path("/")


def test_files_lie_below_the_root(machine: Machine) -> None:
    assert machine.place(PurePosixPath("/etc/x")) == machine.root / "etc/x"
    assert machine.place(PureWindowsPath(r"C:\ProgramData\x.xml")) == machine.root / "ProgramData/x.xml"
    assert replace(machine, root=Path("/")).place(PurePosixPath("/etc/x")) == Path("/etc/x")


def test_systemd_is_there_when_it_runs_the_machine(machine: Machine) -> None:
    assert machine.manager_runs
    (machine.root / "run/systemd/system").rmdir()
    assert not machine.manager_runs
    assert replace(machine, system="darwin").manager_runs


def test_a_program_that_all_may_use_is_not_hidden(machine: Machine) -> None:
    assert machine.hidden(machine.job(Scope.SYSTEM)) is None


def test_a_program_in_a_folder_of_ones_own_is_hidden_from_the_service_of_the_machine(machine: Machine) -> None:
    (machine.root / "opt/hybridisco").chmod(0o700)
    assert machine.hidden(machine.job(Scope.SYSTEM)) == f"only some users may use {machine.root / 'opt/hybridisco'}"
    assert machine.hidden(machine.job(Scope.USER)) is None


def test_so_is_one_whose_python_is_elsewhere(machine: Machine) -> None:
    real = machine.root / "root/python3.11"
    real.parent.mkdir(mode=0o700)
    real.touch(0o755)
    (machine.root / "opt/hybridisco/bin/python").symlink_to(real)
    assert str(machine.root / "root") in (machine.hidden(machine.job(Scope.SYSTEM)) or "")


def test_a_program_in_a_temporary_folder_is_no_program_for_a_year(machine: Machine) -> None:
    job = replace(machine, program=("/tmp/venv/bin/hybridisco",)).job(Scope.SYSTEM)
    assert "temporary" in (machine.hidden(job) or "")


def test_a_program_in_a_home_is_seen(machine: Machine) -> None:
    program = machine.root / "home/ada/bin/hybridisco"
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    assert replace(machine, program=("/home/ada/bin/hybridisco",)).job(Scope.SYSTEM).home_is_read
    assert not machine.job(Scope.SYSTEM).home_is_read


def test_on_windows_a_program_of_one_user_is_hidden_from_the_machine(machine: Machine) -> None:
    program, python = (r"C:\Users\ada\Scripts\hybridisco.exe",), r"C:\Users\ada\python.exe"
    windows = replace(machine, system="win32", program=program, python=python)
    assert "belongs to one user" in (windows.hidden(windows.job(Scope.SYSTEM)) or "")
    assert windows.job(Scope.USER).program == (r"C:\Users\ada\pythonw.exe", "-m", "hybridisco")


def test_the_users_settings_go_with_the_service(machine: Machine) -> None:
    environ = {**machine.environ, "HYBRIDISCO_CONFIG": "/srv/h.toml", "HYBRIDISCO_STATE": "/srv/h"}
    job = replace(machine, environ=environ).job(Scope.USER)
    assert (job.config, job.state) == ("/srv/h.toml", "/srv/h")


def test_each_platform_has_its_places(machine: Machine) -> None:
    def file(system: str, scope: Scope) -> str:
        here = replace(machine, system=system)
        return str(here.install_plan(here.job(scope)).file)

    assert file("linux", Scope.SYSTEM) == "/etc/systemd/system/hybridisco-announce.service"
    assert file("linux", Scope.USER) == "/home/ada/.config/systemd/user/hybridisco-announce.service"
    assert file("darwin", Scope.SYSTEM) == "/Library/LaunchDaemons/org.hybridisco.announce.plist"
    assert file("darwin", Scope.USER) == "/home/ada/Library/LaunchAgents/org.hybridisco.announce.plist"
    assert file("win32", Scope.SYSTEM) == r"C:\ProgramData\Hybridisco\announce-task.xml"
    with pytest.raises(UsageError, match="freebsd14"):
        file("freebsd14", Scope.SYSTEM)


def test_a_program_that_fails_says_why(machine: Machine, programs: Programs) -> None:
    programs.fail("start", "Unit x\nnot found.")
    assert machine.run(Command(("systemctl", "stop", "x"))) is None
    assert machine.run(Command(("systemctl", "start", "x"))) == "Unit x not found."
    assert machine.run(Command(("no-such-program",))) == "there is no program no-such-program"
