"""The property list for launchd on macOS: a daemon of the machine, or an agent of one user.

A daemon needs no permission for the local network (Apple's TN3179); an agent asks its user once, and until it is
granted nothing is heard or said.
"""

from __future__ import annotations

import plistlib
from pathlib import PurePosixPath

from announcers.service.job import (
    RESTART_AFTER_S,
    STOP_LIMIT_S,
    Job,
    Plan,
    Scope,
    commands,
)
from announcers.service.seal import mark, seal

LABEL = "org.hybridisco.announce"
FILE = f"{LABEL}.plist"
DAEMONS = PurePosixPath("/Library/LaunchDaemons")
AGENTS = PurePosixPath("Library/LaunchAgents")  # below the user's home
STATE_FOLDER = "/Library/Application Support/Hybridisco"
#: Whom a daemon runs as: it needs no right but to open sockets.
DAEMON_USER = "nobody"

_DOCTYPE_END = '.dtd">\n'


def property_list(job: Job) -> str:
    """Return the text of the property list."""
    log = f"{job.folder}/announce.log"
    content: dict[str, object] = {
        "Label": LABEL,
        "ProgramArguments": list(job.command),
        "EnvironmentVariables": _environment(job),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": RESTART_AFTER_S,
        "ExitTimeOut": STOP_LIMIT_S,
        "StandardOutPath": log,
        "StandardErrorPath": log,
        "WorkingDirectory": "/",
        "LowPriorityIO": True,
    }
    if job.scope is Scope.SYSTEM:
        content["UserName"] = DAEMON_USER
    text = plistlib.dumps(content, sort_keys=False).decode()
    return seal(text.replace(_DOCTYPE_END, f"{_DOCTYPE_END}<!-- {mark(job.version)} -->\n", 1))


def _environment(job: Job) -> dict[str, str]:
    variables: dict[str, str] = {}
    if job.scope is Scope.SYSTEM:
        variables["HYBRIDISCO_STATE"] = job.folder
        variables["HYBRIDISCO_CONFIG"] = job.config or f"{job.folder}/config.toml"
    else:
        variables |= {"HYBRIDISCO_STATE": job.state} if job.state else {}
        variables |= {"HYBRIDISCO_CONFIG": job.config} if job.config else {}
    return variables


def install_plan(job: Job, folder: PurePosixPath) -> Plan:
    """Return what installs the service. :param folder: where property lists are."""
    file = folder / FILE
    domain = _domain(job)
    owner = ("-o", DAEMON_USER) if job.scope is Scope.SYSTEM else ()
    hints = (
        "See how it is: hybridisco announce status",
        f"Read its log: tail -f {job.folder!r}/announce.log",
        f"Its settings: {_config(job)}; after a change: launchctl kill HUP {domain}/{LABEL}",
        f"Remove it: hybridisco announce uninstall --{job.scope}",
    )
    permission = (
        "macOS may ask once whether it may find devices on the local network. Allow it: otherwise nobody hears of "
        "your backends (System Settings, Privacy & Security, Local Network).",
    )
    return Plan(
        file,
        property_list(job),
        before=commands(("install", "-d", "-m", "755", *owner, job.folder)),
        after=(
            *commands(("launchctl", "bootout", f"{domain}/{LABEL}"), may_fail=True),
            *commands(
                ("launchctl", "enable", f"{domain}/{LABEL}"),
                ("launchctl", "bootstrap", domain, str(file)),
            ),
        ),
        next_steps=hints if job.scope is Scope.SYSTEM else (*permission, *hints),
    )


def uninstall_plan(job: Job, folder: PurePosixPath) -> Plan:
    """Return what undoes :func:`install_plan`."""
    return Plan(
        folder / FILE,
        None,
        before=commands(("launchctl", "bootout", f"{_domain(job)}/{LABEL}"), may_fail=True),  # it may have ended itself
        next_steps=(f"Kept, for when you install it again: the ids of your backends and the log, in {job.folder}",),
    )


def _config(job: Job) -> str:
    if job.config:
        return job.config
    return f"{job.folder}/config.toml" if job.scope is Scope.SYSTEM else "`hybridisco config path` tells where"


def _domain(job: Job) -> str:
    return "system" if job.scope is Scope.SYSTEM else f"gui/{job.uid}"
