"""The task for Windows' Task Scheduler: of the machine, as LOCAL SERVICE from boot on; or of one user, from log-on on.

A real Windows service would need a program that speaks the Service Control Manager's protocol (pywin32 or a wrapper);
the scheduler is on every Windows, and runs any program. What it lacks is made up for here:

* It cannot set environment variables or keep a log: the machine's task runs through ``cmd.exe``, which does.
* It gives up after a number of restarts: a second trigger looks every five minutes whether the task runs.
* It ends a task at once, so no goodbye is said: others see the backends fade within 15 seconds.
"""

from __future__ import annotations

from pathlib import PureWindowsPath
from xml.sax.saxutils import escape

from announcers.service.job import DESCRIPTION, Job, Plan, Scope, commands
from announcers.service.seal import mark, seal
from hybridisco import UsageError

FOLDER = r"\Hybridisco"
FILE = "announce-task.xml"
LOCAL_SERVICE = "S-1-5-19"  # may open sockets, and nothing else

_MICROSOFT = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_RETRIES = 10
_COOKED = '%"'  # what cmd.exe changes between quotes, or ends them with

_XML = """\
<?xml version="1.0" encoding="UTF-16"?>
<!-- {mark} -->
<Task version="1.3" xmlns="{namespace}">
  <RegistrationInfo>
    <Author>Hybridisco</Author>
    <Description>{description}</Description>
    <URI>{task}</URI>
  </RegistrationInfo>
  <Triggers>
{trigger}
    <TimeTrigger>
      <Repetition>
        <Interval>PT5M</Interval>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      <StartBoundary>2026-01-01T00:00:00</StartBoundary>
      <Enabled>true</Enabled>
    </TimeTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
{principal}
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>6</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>{retries}</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{command}</Command>
      <Arguments>{arguments}</Arguments>
      <WorkingDirectory>{folder}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""

_BOOT = """\
    <BootTrigger>
      <Enabled>true</Enabled>
    </BootTrigger>"""
_LOGON = """\
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>{user}</UserId>
    </LogonTrigger>"""


def task_name(job: Job) -> str:
    """Return the task's name: one for the machine, one for each user."""
    return (
        rf"{FOLDER}\Announce" if job.scope is Scope.SYSTEM else rf"{FOLDER}\Announce-{PureWindowsPath(job.user).name}"
    )


def task_xml(job: Job) -> str:
    """Return the text of the task, to be written as UTF-16.

    :raises UsageError: an argument that cmd.exe would change.
    """
    system = job.scope is Scope.SYSTEM
    user = escape(job.user)
    command, arguments = _through_cmd(job) if system else _directly(job)
    principal = (
        f"      <UserId>{LOCAL_SERVICE}</UserId>"
        if system
        else f"      <UserId>{user}</UserId>\n      <LogonType>InteractiveToken</LogonType>"
    )
    return seal(
        _XML.format(
            mark=mark(job.version),
            namespace=_MICROSOFT,
            description=escape(DESCRIPTION),
            task=escape(task_name(job)),
            trigger=_BOOT if system else _LOGON.format(user=user),
            principal=principal,
            retries=_RETRIES,
            command=escape(command),
            arguments=escape(arguments),
            folder=escape(job.folder),
        )
    )


def _through_cmd(job: Job) -> tuple[str, str]:
    """Return a command line that sets the variables and keeps a log. With ``/s`` only the outer quotes go."""
    variables = {
        "HYBRIDISCO_STATE": job.folder,
        "HYBRIDISCO_CONFIG": job.config or rf"{job.folder}\config.toml",
    }
    for word in (*job.command, *variables.values()):
        if word.endswith("\\") or any(char in _COOKED for char in word):
            raise UsageError(
                f"{word!r} cannot be given to a task of the machine: cmd.exe, which runs it, would change it. Leave "
                'the characters % and " out, and a backslash at the end, or install it for your user (--user).'
            )
    sets = "".join(f'set "{name}={value}"&& ' for name, value in variables.items())
    line = " ".join(f'"{word}"' for word in job.command)
    return r"%SystemRoot%\System32\cmd.exe", rf'/d /s /c "{sets}{line} >> "{job.folder}\announce.log" 2>&1"'


def _directly(job: Job) -> tuple[str, str]:
    program, *rest = job.command
    return program, " ".join(map(_argument, rest))


def _argument(word: str) -> str:
    """Return ``word`` as one argument, as C runtimes and Python read a command line."""
    from subprocess import list2cmdline

    return list2cmdline([word])


def install_plan(job: Job) -> Plan:
    """Return what installs the service; the task's text is kept in ``job.folder``."""
    file = PureWindowsPath(job.folder) / FILE
    system, task = job.scope is Scope.SYSTEM, task_name(job)
    # Whoever made the folder owns it; LOCAL SERVICE writes the ids and the log.
    grant = (("icacls", job.folder, "/grant", f"*{LOCAL_SERVICE}:(OI)(CI)M"),) if system else ()
    config = job.config or (rf"{job.folder}\config.toml" if system else "`hybridisco config path` tells where")
    hints = (
        "See how it is: hybridisco announce status",
        rf"Read its log: {job.folder}\announce.log"
        if system
        else "It has no log; to see what it would say, end it and run `hybridisco announce` in a terminal.",
        f"Its settings: {config}; after a change: schtasks /End /TN {task}, then schtasks /Run /TN {task}",
        "Windows may block what others ask it: allow UDP port 5353 for Python in the firewall, for private networks.",
        f"Remove it: hybridisco announce uninstall --{job.scope}",
    )
    return Plan(
        file,
        task_xml(job),
        after=(
            *commands(*grant),
            *commands(("schtasks", "/End", "/TN", task), may_fail=True),
            *commands(
                ("schtasks", "/Create", "/TN", task, "/XML", str(file), "/F"),
                ("schtasks", "/Run", "/TN", task),
            ),
        ),
        next_steps=hints,
        encoding="utf-16",
    )


def uninstall_plan(job: Job) -> Plan:
    """Return what undoes :func:`install_plan`."""
    task = task_name(job)
    return Plan(
        PureWindowsPath(job.folder) / FILE,
        None,
        before=(
            *commands(("schtasks", "/End", "/TN", task), may_fail=True),
            *commands(("schtasks", "/Delete", "/TN", task, "/F")),
        ),
        next_steps=(f"Kept, for when you install it again: the ids of your backends and the log, in {job.folder}",),
        encoding="utf-16",
    )
