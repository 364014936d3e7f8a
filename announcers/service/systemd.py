"""The systemd unit: the system's, hardened as far as a program that speaks mDNS and reads the GPU can be; or a user's.

What is not forbidden, and why:

* The network of the host, multicast and netlink: they are its work.
* ``PrivateDevices``: it would hide ``/dev/nvidia*``, where NVML reads the GPU's model. Instead every device but these
  and the harmless ones (``/dev/null`` …) is closed.
* ``ProtectHostname``: behind it a new name of the machine would never be seen, and the name is announced.
* ``ProcSubset=pid``: NVML reads ``/proc/driver/nvidia``.

A user's service manager may use neither namespaces nor devices' rules everywhere (Ubuntu and Debian restrict them), and
a unit that asks for them would not start there. So the user unit has what works by seccomp and cgroups alone.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from announcers.service.job import (
    DESCRIPTION,
    NAME,
    RESTART_AFTER_S,
    STATUS_FILE,
    STOP_LIMIT_S,
    Job,
    Plan,
    Scope,
    commands,
)
from announcers.service.seal import mark, seal

UNIT = f"{NAME}.service"
SYSTEM_FOLDER = PurePosixPath("/etc/systemd/system")
SYSTEM_CONFIG = "/etc/hybridisco/config.toml"
#: A folder that is there when systemd runs the machine (sd_booted(3)).
RUNNING = PurePosixPath("/run/systemd/system")
STATE_FOLDER = "/var/lib/hybridisco"  # StateDirectory= of a system unit

WATCHDOG_S = 60
_START_LIMIT_S = 90

_PLAIN = re.compile(r"[A-Za-z0-9_./:=@,+-]+")

_COMMON = """\
[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
ExecReload=kill -HUP $MAINPID
WatchdogSec={watchdog_s}
TimeoutStartSec={start_limit_s}
TimeoutStopSec={stop_limit_s}
Restart=on-failure
RestartSec={restart_after_s}
{environment}RuntimeDirectory=hybridisco
MemoryHigh=128M
MemoryMax=256M
TasksMax=64
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
"""

_SYSTEM = """\
DynamicUser=yes
StateDirectory=hybridisco
UMask=0022
CapabilityBoundingSet=
AmbientCapabilities=
DevicePolicy=closed
DeviceAllow=char-nvidia* rw
PrivateTmp=yes
PrivateUsers=yes
PrivateMounts=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome={protect_home}
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
"""


def unit(job: Job) -> str:
    """Return the text of the unit."""
    system = job.scope is Scope.SYSTEM
    control, _ = _programs(job.scope)
    network = "Wants=network-online.target\nAfter=network-online.target\n" if system else ""
    service = _COMMON.format(
        command=_command(job),
        watchdog_s=WATCHDOG_S,
        start_limit_s=_START_LIMIT_S,
        stop_limit_s=STOP_LIMIT_S,
        restart_after_s=RESTART_AFTER_S,
        environment="".join(_environment(job)),
    )
    if system:
        service += _SYSTEM.format(protect_home="read-only" if job.home_is_read else "yes")
    return seal(
        f"# {mark(job.version)}\n"
        f"# To change it: `{' '.join(control)} edit {NAME}`, which a new installation leaves alone.\n"
        "[Unit]\n"
        f"Description={DESCRIPTION}\n"
        f"{network}"
        "StartLimitIntervalSec=0\n"  # it is started again for as long as it takes
        "\n"
        f"{service}"
        "\n"
        "[Install]\n"
        f"WantedBy={'multi-user' if system else 'default'}.target\n"
    )


def _command(job: Job) -> str:
    # In memory: it is touched every half minute for a year. Before the user's arguments, which may say another place.
    status = f"--status-file %t/hybridisco/{STATUS_FILE}"
    return " ".join((*map(quoted, job.program), "announce", status, *map(quoted, job.arguments)))


def _environment(job: Job) -> list[str]:
    variables: dict[str, str] = {}
    if job.scope is Scope.SYSTEM:
        variables["HYBRIDISCO_STATE"] = "%S/hybridisco"
        variables["HYBRIDISCO_CONFIG"] = _literal(job.config or SYSTEM_CONFIG)
    else:
        variables |= {"HYBRIDISCO_STATE": _literal(job.state)} if job.state else {}
        variables |= {"HYBRIDISCO_CONFIG": _literal(job.config)} if job.config else {}
    return [f"Environment={_in_quotes(f'{name}={value}')}\n" for name, value in variables.items()]


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def _in_quotes(word: str) -> str:
    if _PLAIN.fullmatch(word.replace("%", "")):
        return word
    return '"{}"'.format(word.replace("\\", "\\\\").replace('"', '\\"'))


def quoted(word: str) -> str:
    """Return ``word`` as one word of ``ExecStart=`` (systemd.service(5), "Command lines")."""
    return _in_quotes(_literal(word).replace("$", "$$")) if word else '""'


def install_plan(job: Job, folder: PurePosixPath, *, lingers: bool) -> Plan:
    """Return what installs the service.

    :param folder: where units are.
    :param lingers: whether the user's services run while the user is not logged in.
    """
    system = job.scope is Scope.SYSTEM
    control, journal = _programs(job.scope)
    hints = [
        f"See how it is: hybridisco announce status, and {' '.join((*control, 'status', NAME))}",
        f"Read its log: {' '.join((*journal, NAME))}",
        f"Change how it runs: {' '.join((*control, 'edit', NAME))}; its settings: "
        + (job.config or (SYSTEM_CONFIG if system else "`hybridisco config path` tells where"))
        + f", then {' '.join((*control, 'reload', NAME))}",
        f"Remove it: hybridisco announce uninstall --{job.scope}",
    ]
    if not system and not lingers:
        lasting = f"sudo loginctl enable-linger {job.user}"
        hints.insert(0, f"It ends when you log out, and does not start at boot. To change that: {lasting}")
    return Plan(
        folder / UNIT,
        unit(job),
        after=commands((*control, "daemon-reload"), (*control, "enable", UNIT), (*control, "restart", UNIT)),
        next_steps=tuple(hints),
    )


def uninstall_plan(job: Job, folder: PurePosixPath) -> Plan:
    """Return what undoes :func:`install_plan`."""
    control, _ = _programs(job.scope)
    return Plan(
        folder / UNIT,
        None,
        before=(
            *commands((*control, "disable", "--now", UNIT)),
            *commands((*control, "reset-failed", UNIT), may_fail=True),
        ),
        after=commands((*control, "daemon-reload")),
        next_steps=(f"Kept, for when you install it again: the ids of your backends, in {job.folder}",),
    )


def _programs(scope: Scope) -> tuple[tuple[str, ...], tuple[str, ...]]:
    user = () if scope is Scope.SYSTEM else ("--user",)
    return ("systemctl", *user), ("journalctl", *user, "-u")
