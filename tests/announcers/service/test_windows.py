"""The task: what the Task Scheduler would read."""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from dataclasses import replace

import pytest

from announcers.service import windows
from announcers.service.job import Job, Scope
from announcers.service.seal import Origin, origin
from hybridisco import UsageError

MACHINE = Job(
    (r"C:\Program Files\Hybridisco\hybridisco.exe",),
    ("--name", "A & <B>"),
    Scope.SYSTEM,
    "0.1.0",
    r"STUDIO\ada",
    folder=r"C:\ProgramData\Hybridisco",
)
PERSON = replace(
    MACHINE,
    program=(r"C:\Python\pythonw.exe", "-m", "hybridisco"),
    scope=Scope.USER,
    folder=r"C:\Users\ada\AppData\Local\hybridisco",
)
SPACE = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}


def read(job: Job) -> Xml.Element:
    return Xml.fromstring(windows.task_xml(job).encode("utf-16"))


def text(job: Job, path: str) -> str | None:
    return read(job).findtext("/".join(f"t:{part}" for part in path.split("/")), namespaces=SPACE)


def test_the_required_elements_are_there_in_the_order_of_the_schema() -> None:
    for job in (MACHINE, PERSON):
        task = read(job)
        assert task.get("version") == "1.3"
        names = [child.tag.partition("}")[2] for child in task]
        assert names == ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"]
        principal = task.find("t:Principals/t:Principal", SPACE)
        actions = task.find("t:Actions", SPACE)
        assert principal is not None
        assert actions is not None
        assert actions.get("Context") == principal.get("id")


def test_it_runs_without_a_limit_and_is_started_again() -> None:
    assert text(MACHINE, "Settings/ExecutionTimeLimit") == "PT0S"
    assert text(MACHINE, "Settings/MultipleInstancesPolicy") == "IgnoreNew"
    assert text(MACHINE, "Settings/DisallowStartIfOnBatteries") == "false"
    assert text(MACHINE, "Settings/RestartOnFailure/Interval") == "PT1M"
    assert text(MACHINE, "Triggers/TimeTrigger/Repetition/Interval") == "PT5M"
    assert text(MACHINE, "Triggers/TimeTrigger/Repetition/Duration") is None  # for ever


def test_the_machines_task_starts_at_boot_as_a_user_without_rights() -> None:
    assert text(MACHINE, "Triggers/BootTrigger/Enabled") == "true"
    assert text(MACHINE, "Principals/Principal/UserId") == "S-1-5-19"
    assert text(MACHINE, "Principals/Principal/RunLevel") == "LeastPrivilege"


def test_the_machines_task_sets_its_places_and_keeps_a_log() -> None:
    assert text(MACHINE, "Actions/Exec/Command") == r"%SystemRoot%\System32\cmd.exe"
    assert text(MACHINE, "Actions/Exec/Arguments") == (
        r'/d /s /c "set "HYBRIDISCO_STATE=C:\ProgramData\Hybridisco"&& '
        r'set "HYBRIDISCO_CONFIG=C:\ProgramData\Hybridisco\config.toml"&& '
        r'"C:\Program Files\Hybridisco\hybridisco.exe" "announce" "--name" "A & <B>" '
        r'>> "C:\ProgramData\Hybridisco\announce.log" 2>&1"'
    )


@pytest.mark.parametrize("word", ["100%", 'a"b', "ends with \\"])
def test_what_cmd_would_change_is_refused_for_the_machine_only(word: str) -> None:
    with pytest.raises(UsageError, match=r"cmd\.exe"):
        windows.task_xml(replace(MACHINE, arguments=("--name", word)))
    assert windows.task_xml(replace(PERSON, arguments=("--name", word)))


def test_a_persons_task_starts_at_log_on_and_opens_no_window() -> None:
    assert text(PERSON, "Triggers/LogonTrigger/UserId") == r"STUDIO\ada"
    assert text(PERSON, "Principals/Principal/LogonType") == "InteractiveToken"
    assert text(PERSON, "Actions/Exec/Command") == r"C:\Python\pythonw.exe"
    assert text(PERSON, "Actions/Exec/Arguments") == '-m hybridisco announce --name "A & <B>"'


def test_the_tasks_of_the_machine_and_of_each_person_do_not_meet() -> None:
    assert windows.task_name(MACHINE) == r"\Hybridisco\Announce"
    assert windows.task_name(PERSON) == r"\Hybridisco\Announce-ada"


def test_it_is_sealed() -> None:
    made = windows.task_xml(MACHINE)
    assert origin(made) is Origin.OURS
    assert origin(made.replace("PT5M", "PT9M")) is Origin.EDITED


def test_only_the_machines_task_gives_rights_away() -> None:
    grants = [c.argv for c in windows.install_plan(MACHINE).after if c.argv[0] == "icacls"]
    assert grants == [("icacls", r"C:\ProgramData\Hybridisco", "/grant", "*S-1-5-19:(OI)(CI)M")]
    assert not any(command.argv[0] == "icacls" for command in windows.install_plan(PERSON).after)
