"""The property list: what launchd would read."""

from __future__ import annotations

import plistlib
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from announcers.service import launchd
from announcers.service.job import Job, Scope
from announcers.service.seal import Origin, origin

DAEMON = Job(
    ("/opt/hybridisco/bin/hybridisco",),
    ("--name", "A & <B>"),
    Scope.SYSTEM,
    "0.1.0",
    "ada",
    501,
    folder=launchd.STATE_FOLDER,
)
AGENT = replace(DAEMON, scope=Scope.USER, folder="/Users/ada/Library/Application Support/hybridisco")
FOLDER = PurePosixPath("/Library/LaunchDaemons")


def read(job: Job) -> dict[str, Any]:
    return dict(plistlib.loads(launchd.property_list(job).encode()))


def test_the_required_keys_are_there_and_of_their_types() -> None:
    for job in (DAEMON, AGENT):
        said = read(job)
        assert said["Label"] == "org.hybridisco.announce"
        assert said["ProgramArguments"] == ["/opt/hybridisco/bin/hybridisco", "announce", "--name", "A & <B>"]
        assert said["RunAtLoad"] is True
        assert said["KeepAlive"] == {"SuccessfulExit": False}
        assert (said["ThrottleInterval"], said["ExitTimeOut"]) == (15, 15)
        assert said["StandardErrorPath"] == f"{job.folder}/announce.log"


def test_a_daemon_has_a_user_without_rights_and_places_of_its_own() -> None:
    said = read(DAEMON)
    assert said["UserName"] == "nobody"
    assert said["EnvironmentVariables"] == {
        "HYBRIDISCO_STATE": "/Library/Application Support/Hybridisco",
        "HYBRIDISCO_CONFIG": "/Library/Application Support/Hybridisco/config.toml",
    }
    assert "UserName" not in read(AGENT)
    assert read(AGENT)["EnvironmentVariables"] == {}


def test_it_is_sealed() -> None:
    text = launchd.property_list(DAEMON)
    assert origin(text) is Origin.OURS
    assert origin(text.replace("<integer>15</integer>", "<integer>16</integer>", 1)) is Origin.EDITED


def test_each_is_loaded_in_its_domain_once_more_too() -> None:
    plan = launchd.install_plan(DAEMON, FOLDER)
    assert [" ".join(command.argv) for command in plan.after] == [
        "launchctl bootout system/org.hybridisco.announce",
        "launchctl enable system/org.hybridisco.announce",
        "launchctl bootstrap system /Library/LaunchDaemons/org.hybridisco.announce.plist",
    ]
    assert plan.after[0].may_fail  # it is not loaded the first time
    assert not plan.after[2].may_fail
    assert "gui/501" in " ".join(launchd.install_plan(AGENT, FOLDER).after[2].argv)


def test_only_an_agent_needs_the_permission_for_the_local_network() -> None:
    assert "Local Network" in launchd.install_plan(AGENT, FOLDER).next_steps[0]
    assert not any("Local Network" in step for step in launchd.install_plan(DAEMON, FOLDER).next_steps)
