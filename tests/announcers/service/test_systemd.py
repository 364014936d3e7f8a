"""The units: what systemd itself says of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from announcers.service import systemd
from announcers.service.job import Job, Scope
from hybridisco import UsageError
from tests.lab.require import require

PROGRAM = ("/bin/sh",)  # verify wants one that is there
SYSTEM = Job(PROGRAM, scope=Scope.SYSTEM, version="0.1.0", user="ada", folder="/var/lib/hybridisco")
USER = replace(SYSTEM, scope=Scope.USER)
EXPOSURE_LIMIT = 15  # tenths, of 100: systemd calls up to 1.9 "OK", which few units of Debian reach


def analyze(tmp_path: Path, job: Job, *arguments: str) -> subprocess.CompletedProcess[str]:
    require(None if shutil.which("systemd-analyze") else "not installed: systemd-analyze (Debian: systemd)")
    unit = tmp_path / systemd.UNIT
    unit.write_text(systemd.unit(job))
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    argv = ["systemd-analyze", *arguments, str(unit)]
    return subprocess.run(argv, capture_output=True, text=True, env=environ, timeout=30, check=False)


def values(job: Job) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in systemd.unit(job).splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("job", [SYSTEM, USER], ids=["system", "user"])
def test_systemd_has_nothing_to_say_against_the_unit(tmp_path: Path, job: Job) -> None:
    where = ["--user"] if job.scope is Scope.USER else []
    odd = replace(job, arguments=("--name", "A \"B\" 100% $HOME \\ ; 'c'", "", "ü"), config="/etc/100% mine/c.toml")
    for each in (job, odd):
        done = analyze(tmp_path, each, "verify", "--man=no", *where)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_mistake_in_it_would_be_seen(tmp_path: Path) -> None:
    done = analyze(tmp_path, replace(SYSTEM, program=("/no/such/program",)), "verify", "--man=no")
    assert "/no/such/program is not executable" in done.stderr


def test_little_of_the_machine_is_exposed(tmp_path: Path) -> None:
    done = analyze(tmp_path, SYSTEM, "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE_LIMIT}")
    assert done.returncode == 0, done.stdout


def test_it_is_watched_and_started_again_for_ever() -> None:
    for job in (SYSTEM, USER):
        said = values(job)
        assert said["Type"] == ["notify"]
        assert said["NotifyAccess"] == ["main"]
        assert said["WatchdogSec"] == ["60"]
        assert said["Restart"] == ["on-failure"]
        assert said["StartLimitIntervalSec"] == ["0"]
        assert said["ExecReload"] == ["kill -HUP $MAINPID"]


def test_the_units_start_at_boot_and_at_log_on() -> None:
    assert values(SYSTEM)["WantedBy"] == ["multi-user.target"]
    assert values(SYSTEM)["After"] == values(SYSTEM)["Wants"] == ["network-online.target"]
    assert values(USER)["WantedBy"] == ["default.target"]
    assert "After" not in values(USER)  # a user's manager does not know that target


def test_a_user_unit_asks_for_nothing_that_a_user_may_not_have() -> None:
    refused = {"DynamicUser", "ProtectSystem", "ProtectHome", "PrivateTmp", "DeviceAllow", "CapabilityBoundingSet"}
    assert refused <= values(SYSTEM).keys()
    assert not refused & values(USER).keys()


def test_ids_and_settings_are_where_a_user_of_its_own_can_read_them() -> None:
    assert values(SYSTEM)["Environment"] == [
        "HYBRIDISCO_STATE=%S/hybridisco",
        "HYBRIDISCO_CONFIG=/etc/hybridisco/config.toml",
    ]
    own = replace(USER, state="/home/ada/my state", config="/home/ada/50%.toml")
    assert values(own)["Environment"] == [
        '"HYBRIDISCO_STATE=/home/ada/my state"',
        "HYBRIDISCO_CONFIG=/home/ada/50%%.toml",
    ]


def test_a_program_in_a_home_stays_readable() -> None:
    assert values(SYSTEM)["ProtectHome"] == ["yes"]
    assert values(replace(SYSTEM, home_is_read=True))["ProtectHome"] == ["read-only"]


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("--port", "--port"),
        ("8188", "8188"),
        ("", '""'),
        ("two words", '"two words"'),
        ("50%", "50%%"),
        ("$HOME", '"$$HOME"'),
        ('say "x"', r'"say \"x\""'),
        ("back\\slash", r'"back\\slash"'),
        (";", '";"'),
    ],
)
def test_words_reach_the_program_as_they_are(word: str, written: str) -> None:
    assert systemd.quoted(word) == written


def test_a_line_break_cannot_smuggle_a_setting_in() -> None:
    with pytest.raises(UsageError, match="control character"):
        replace(SYSTEM, arguments=("--name", "x\nUser=root"))


def test_a_user_is_told_that_it_ends_with_the_session() -> None:
    plan = systemd.install_plan(USER, PurePosixPath("/x"), lingers=False)
    assert "sudo loginctl enable-linger ada" in plan.next_steps[0]
    for quiet in (
        systemd.install_plan(USER, PurePosixPath("/x"), lingers=True),
        systemd.install_plan(SYSTEM, PurePosixPath("/x"), lingers=False),
    ):
        assert not any("linger" in step for step in quiet.next_steps)
