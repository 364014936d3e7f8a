"""install, uninstall and status as a person runs them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from announcers.service.cli import install, status, uninstall
from announcers.service.machine import Machine
from hybridisco import HybridiscoError
from tests.announcers.service.conftest import Programs
from tests.announcers.service.test_status import WAITING, document

UNIT = "etc/systemd/system/hybridisco-announce.service"


@dataclass(frozen=True)
class Result:
    """What one command left behind; errors as `hybridisco` prints them."""

    status: int
    out: str
    err: str


def run(command: click.Command, *arguments: str, machine: Machine | None = None) -> Result:
    done = CliRunner().invoke(command, arguments, obj=machine, standalone_mode=False)
    if isinstance(done.exception, HybridiscoError):
        return Result(done.exception.exit_status, done.stdout, str(done.exception))
    if isinstance(done.exception, click.UsageError):
        return Result(2, done.stdout, done.exception.format_message())
    if done.exception is not None:
        raise done.exception
    return Result(done.return_value, done.stdout, done.stderr)


# -- install and uninstall ----------------------------------------------------------------------------


def test_install_writes_enables_starts_and_says_each_step(machine: Machine, programs: Programs) -> None:
    done = run(install, "--", "--interface", "eth0", machine=machine)
    assert done.status == 0
    written = (machine.root / UNIT).read_text()
    assert "bin/hybridisco announce --status-file %t/hybridisco/announce-status.json --interface eth0\n" in written
    assert programs.calls == [
        "systemctl daemon-reload",
        "systemctl enable hybridisco-announce.service",
        "systemctl restart hybridisco-announce.service",
    ]
    for words in (f"Wrote   /{UNIT}", "Ran     systemctl enable", "hybridisco announce status", "journalctl -u"):
        assert words in done.out


def test_uninstall_undoes_exactly_that(machine: Machine, programs: Programs) -> None:
    def files() -> set[Path]:
        return {path for path in machine.root.rglob("*") if path.is_file()}

    before = files()
    run(install, machine=machine)
    programs.forget()
    done = run(uninstall, machine=machine)
    assert done.status == 0
    assert programs.calls == [
        "systemctl disable --now hybridisco-announce.service",
        "systemctl reset-failed hybridisco-announce.service",
        "systemctl daemon-reload",
    ]
    assert files() == before
    assert "Kept" in done.out
    programs.forget()
    done = run(uninstall, machine=machine)
    assert (done.status, programs.calls) == (0, [])
    assert "Nothing to remove" in done.out


def test_installing_again_changes_nothing_but_brings_the_new_version_up(machine: Machine, programs: Programs) -> None:
    run(install, machine=machine)
    first = (machine.root / UNIT).read_text()
    programs.forget()
    assert run(install, machine=machine).status == 0
    assert (machine.root / UNIT).read_text() == first
    assert programs.calls[-1] == "systemctl restart hybridisco-announce.service"
    assert run(install, "--", "comfyui", machine=machine).status == 0
    assert "announce-status.json comfyui\n" in (machine.root / UNIT).read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [("[Unit]\n", "was not written by us"), ("edited", "has been changed by hand")],
)
def test_what_somebody_else_wrote_is_left_alone(machine: Machine, programs: Programs, text: str, words: str) -> None:
    file = machine.root / UNIT
    run(install, machine=machine)
    file.write_text(file.read_text() + "# mine\n" if text == "edited" else text)
    before = file.read_text()
    programs.forget()
    for command in (install, uninstall):
        done = run(command, machine=machine)
        assert done.status == 3
        assert words in done.err
        assert "--force" in done.err
    assert (file.read_text(), programs.calls) == (before, [])
    assert run(install, "--force", machine=machine).status == 0
    assert file.read_text() != before


def test_a_dry_run_shows_all_and_does_nothing(of_ada: Machine, programs: Programs) -> None:
    done = run(install, "--system", "--dry-run", machine=of_ada)  # no right is needed to look
    assert done.status == 0
    for words in ("[Service]", f"Would write /{UNIT}", "Would run   systemctl daemon-reload"):
        assert words in done.out
    assert not (of_ada.root / UNIT).exists()
    run(install, machine=replace(of_ada, uid=0))
    programs.forget()
    done = run(uninstall, "--system", "--dry-run", machine=of_ada)
    assert f"Would remove /{UNIT}" in done.out
    assert (of_ada.root / UNIT).exists()
    assert programs.calls == []


def test_a_dry_run_tells_what_would_be_refused(of_ada: Machine, programs: Programs) -> None:
    as_root = replace(of_ada, uid=0)
    assert "Would be refused" not in run(install, "--system", "--dry-run", machine=as_root).out
    done = run(install, "--system", "--dry-run", machine=of_ada)
    assert done.out.count("Would be refused: ") == 1
    assert "Would be refused: Only an administrator may install" in done.out
    run(install, machine=as_root)
    (of_ada.root / UNIT).write_text("[Unit]\n")
    (of_ada.root / "run/systemd/system").rmdir()
    (of_ada.root / "opt/hybridisco").chmod(0o750)
    done = run(install, "--system", "--dry-run", machine=as_root)
    for words in ("could not start this program", "was not written by us"):
        assert words in done.out
    done = run(uninstall, "--system", "--dry-run", machine=of_ada)
    assert done.out.count("Would be refused: ") == 2, "all of it, not only what comes first"
    assert "Would be refused" not in run(uninstall, "--system", "--dry-run", "--force", machine=as_root).out
    assert (of_ada.root / UNIT).read_text() == "[Unit]\n"


def test_a_user_installs_for_himself_unless_he_says_otherwise(of_ada: Machine, programs: Programs) -> None:
    done = run(install, machine=of_ada)
    assert done.status == 0
    assert (of_ada.root / "home/ada/.config/systemd/user/hybridisco-announce.service").exists()
    assert programs.calls[0] == "systemctl --user daemon-reload"
    assert "loginctl enable-linger ada" in done.out


def test_the_hint_at_lingering_is_for_those_who_need_it(of_ada: Machine) -> None:
    linger = of_ada.root / "var/lib/systemd/linger/ada"
    linger.parent.mkdir(parents=True)
    linger.touch()
    assert "linger" not in run(install, machine=of_ada).out


def test_without_rights_the_machine_is_left_alone(of_ada: Machine, programs: Programs) -> None:
    done = run(install, "--system", machine=of_ada)
    assert done.status == 3
    assert "sudo /opt/hybridisco/bin/hybridisco announce install --system" in done.err
    assert programs.calls == []


def test_where_systemd_does_not_run_nothing_is_written_unless_forced(machine: Machine, programs: Programs) -> None:
    (machine.root / "run/systemd/system").rmdir()
    done = run(install, machine=machine)
    assert done.status == 3
    assert "systemd does not run this machine" in done.err
    assert not (machine.root / UNIT).exists()
    done = run(install, "--force", machine=machine)
    assert (done.status, programs.calls) == (0, [])
    assert (machine.root / UNIT).exists()
    assert "nothing was started" in done.out
    assert run(uninstall, machine=machine).status == 0
    assert not (machine.root / UNIT).exists()


def test_a_program_that_the_service_could_not_start_is_told_before(machine: Machine, programs: Programs) -> None:
    (machine.root / "opt/hybridisco").chmod(0o750)
    done = run(install, machine=machine)
    assert done.status == 3
    assert "could not start this program" in done.err
    assert (programs.calls, (machine.root / UNIT).exists()) == ([], False)


def test_a_step_that_fails_says_what_to_do_and_can_be_repeated(machine: Machine, programs: Programs) -> None:
    programs.fail("daemon-reload", "Failed to connect to bus: No medium found")
    done = run(install, machine=machine)
    assert done.status == 3
    assert "`systemctl daemon-reload` failed: Failed to connect to bus" in done.err
    assert "machinectl shell ada@" in done.err
    programs.fail("nothing", "")
    assert run(install, machine=machine).status == 0


def test_a_sidecar_that_cannot_be_stopped_keeps_its_unit(machine: Machine, programs: Programs) -> None:
    run(install, machine=machine)
    programs.fail("--now", "Access denied")
    assert run(uninstall, machine=machine).status == 3
    assert (machine.root / UNIT).exists()
    assert run(uninstall, "--force", machine=machine).status == 0
    assert not (machine.root / UNIT).exists()


def test_a_folder_that_cannot_be_written_is_told(machine: Machine) -> None:
    (machine.root / "etc").write_text("no folder")
    done = run(install, machine=machine)
    assert done.status == 3
    assert "could not be changed" in done.err or "cannot be read" in done.err


@pytest.mark.parametrize("word", ["status", "install", "--interfaze", "--port=0"])
def test_arguments_that_the_service_would_refuse_are_refused_now(machine: Machine, word: str) -> None:
    done = run(install, "--", word, machine=machine)
    assert done.status == 2
    assert word.partition("=")[0] in done.err
    assert not (machine.root / UNIT).exists()


def test_macos_loads_the_property_list(machine: Machine, programs: Programs) -> None:
    mac = replace(machine, system="darwin")
    assert run(install, machine=mac).status == 0
    assert (machine.root / "Library/LaunchDaemons/org.hybridisco.announce.plist").exists()
    assert programs.calls[0].startswith("install -d -m 755 -o nobody /Library/Application Support/Hybridisco")
    assert programs.calls[-1].startswith("launchctl bootstrap system ")
    assert run(uninstall, machine=mac).status == 0
    assert not (machine.root / "Library/LaunchDaemons/org.hybridisco.announce.plist").exists()


def test_windows_makes_the_task(machine: Machine, programs: Programs) -> None:
    windows = replace(machine, system="win32", program=(r"C:\Hybridisco\hybridisco.exe",))
    assert run(install, machine=windows).status == 0
    file = machine.root / "ProgramData/Hybridisco/announce-task.xml"
    assert file.read_bytes().startswith((b"\xff\xfe", b"\xfe\xff"))
    assert programs.calls[2:] == [
        r"schtasks /Create /TN \Hybridisco\Announce /XML C:\ProgramData\Hybridisco\announce-task.xml /F",
        r"schtasks /Run /TN \Hybridisco\Announce",
    ]
    assert run(install, machine=windows).status == 0  # it knows its own file again
    assert run(uninstall, machine=windows).status == 0
    assert programs.calls[-1] == r"schtasks /Delete /TN \Hybridisco\Announce /F"
    assert not file.exists()


# -- status -------------------------------------------------------------------------------------------


def shown(tmp_path: Path, *arguments: str, age_s: float = 0, **more: Any) -> Result:
    file = tmp_path / "status.json"
    file.write_text(json.dumps(document(**more)))
    touched = datetime.now(UTC).timestamp() - age_s
    os.utime(file, (touched, touched))
    return run(status, "--status-file", str(file), *arguments)


def test_a_sidecar_that_announces_is_well(tmp_path: Path) -> None:
    done = shown(tmp_path)
    assert done.status == 0
    assert "ComfyUI on gpu-box" in done.out


def test_one_that_announces_nothing_is_not_but_is_alive(tmp_path: Path) -> None:
    assert shown(tmp_path, backends=[WAITING]).status == 1
    assert shown(tmp_path, "--alive", backends=[WAITING]).status == 0
    assert shown(tmp_path, "--alive", age_s=3600).status == 1


def test_json_is_the_document_and_whether_it_runs(tmp_path: Path) -> None:
    done = shown(tmp_path, "--json", more={"of": "a later version"})
    said = json.loads(done.out)
    assert (said["running"], said["problem"], said["pid"]) == (True, None, os.getpid())
    assert said["more"] == {"of": "a later version"}
    done = shown(tmp_path, "--json", age_s=3600)
    assert (done.status, json.loads(done.out)["running"]) == (1, False)


def test_no_sidecar_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDISCO_STATE", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    done = run(status)
    assert (done.status, done.out) == (1, "")
    assert "hybridisco announce install" in done.err
    done = run(status, "--json")
    assert (done.status, json.loads(done.out)["running"]) == (1, False)


def test_a_status_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("{")
    done = run(status, "--status-file", str(tmp_path / "x"))
    assert done.status == 3
    assert "no whole status" in done.err
