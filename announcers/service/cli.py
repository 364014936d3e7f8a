"""The commands ``hybridisco announce install``, ``uninstall`` and ``status``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from hybridisco import AnnounceError, UsageError, state_folder

if TYPE_CHECKING:
    from announcers.service.job import Command, Job, Plan, Scope
    from announcers.service.machine import Machine

_OURS = ("install", "uninstall", "status")

_for_whom = click.option(
    "--system/--user",
    "system",
    default=None,
    help="For the whole machine, from boot on, or for you only.  [default: --system for root, else --user]",
)
_dry_run = click.option("--dry-run", is_flag=True, help="Only show what would be written and run.")


@click.command()
@_for_whom
@_dry_run
@click.option(
    "--force", is_flag=True, help="Also over a file that somebody else wrote or changed; also without systemd."
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- ARGUMENTS...]")
@click.pass_obj
def install(obj: object, system: bool | None, dry_run: bool, force: bool, arguments: tuple[str, ...]) -> int:
    """Install the sidecar as a service that starts by itself and is restarted when it fails.

    systemd on Linux, launchd on macOS, the Task Scheduler on Windows. ARGUMENTS are those of `hybridisco announce`.
    Once more, it brings the service up to date and restarts it.

    \b
    Exit status:
      0  installed, and running
      2  wrong usage
      3  it could not be installed
    """
    _check_arguments(arguments)
    machine = _machine(obj)
    job = machine.job(_scope(machine, system), arguments)
    plan = machine.install_plan(job)
    checks: tuple[Callable[[], None], ...] = (
        lambda: _check_rights(machine, job, "install"),
        lambda: _check_program(machine, job, force),
        lambda: _check_manager(plan, machine, force),
        lambda: _check_origin(plan, machine, force, "Move your changes to the place that it names, or"),
    )
    if dry_run:
        return _show(plan, machine, checks)
    for check in checks:
        check()
    _carry_out(plan, machine)
    return 0


@click.command()
@_for_whom
@_dry_run
@click.option(
    "--force", is_flag=True, help="Also a file that somebody else wrote or changed; go on where a step fails."
)
@click.pass_obj
def uninstall(obj: object, system: bool | None, dry_run: bool, force: bool) -> int:
    """Stop the service and remove what `install` wrote. The ids of your backends are kept.

    \b
    Exit status:
      0  removed, or it was not there
      2  wrong usage
      3  it could not be removed
    """
    machine = _machine(obj)
    job = machine.job(_scope(machine, system))
    plan = machine.uninstall_plan(job)
    if machine.text(plan) is None:
        click.echo(f"Nothing to remove: there is no {plan.file}. Perhaps it was installed with {_other(job.scope)}.")
        return 0
    checks: tuple[Callable[[], None], ...] = (
        lambda: _check_rights(machine, job, "uninstall"),
        lambda: _check_origin(plan, machine, force, "Remove it yourself, or"),
    )
    if dry_run:
        return _show(plan, machine, checks)
    for check in checks:
        check()
    _carry_out(plan, machine, go_on=force)
    return 0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the sidecar's own document, with `running`.")
@click.option("--status-file", metavar="FILE", help="Read this file; those of the services and yours when left out.")
@click.option("--alive", is_flag=True, help="Exit status 0 as soon as the sidecar runs, whatever it announces.")
def status(as_json: bool, status_file: str | None, alive: bool) -> int:
    """Show what the sidecar of this machine announces, and why it does not announce the rest.

    \b
    Exit status:
      0  it runs, and announces at least one backend
      1  it announces nothing, or does not run
      2  wrong usage
      3  its status cannot be read
    """
    import json
    import shutil
    from datetime import UTC, datetime
    from pathlib import Path

    from announcers.service.status import SCHEMA, candidates, find

    files = (Path(status_file),) if status_file else candidates(state_folder())
    report = find(files, datetime.now(UTC))
    if report is None:
        if as_json:
            empty = {"schema": SCHEMA, "backends": [], "running": False, "problem": "There is no status file."}
            click.echo(json.dumps(empty, indent=2))
        else:
            click.echo(
                f"No sidecar runs here: there is no {' and no '.join(map(str, files))}.\n"
                "`hybridisco announce` starts one, `hybridisco announce install` makes it a service.",
                err=True,
            )
        return 1
    if as_json:
        said = {**report.document, "running": report.running, "problem": report.problem}
        click.echo(json.dumps(said, indent=2))
    else:
        from announcers.service.table import render

        click.echo(render(report, min(shutil.get_terminal_size().columns, 120)))
    return 0 if report.running and (alive or report.announced) else 1


def _check_arguments(arguments: tuple[str, ...]) -> None:
    """Find out now what the service would otherwise say every 15 s in a log that nobody reads."""
    from announcers.cli import announce

    if arguments and arguments[0] in _OURS:
        raise UsageError(f"{arguments[0]} is a command of its own. What is installed are arguments of `announce`.")
    announce.make_context("hybridisco announce", list(arguments))


def _machine(obj: object) -> Machine:
    from announcers.service.machine import Machine

    return obj if isinstance(obj, Machine) else Machine.here()


def _scope(machine: Machine, system: bool | None) -> Scope:
    from announcers.service.job import Scope

    return Scope.SYSTEM if (machine.privileged if system is None else system) else Scope.USER


def _other(scope: Scope) -> str:
    return "--user" if scope == "system" else "--system"


def _check_rights(machine: Machine, job: Job, verb: str) -> None:
    if job.scope == "system" and not machine.privileged:
        how = "Run it as administrator" if machine.system == "win32" else f"Run: sudo {' '.join(machine.program)}"
        more = "" if machine.system == "win32" else f" announce {verb} --system"
        raise AnnounceError(
            f"Only an administrator may {verb} a service of the whole machine. {how}{more}. Or: --user."
        )


def _check_program(machine: Machine, job: Job, force: bool) -> None:
    hidden = machine.hidden(job)
    if hidden and not force:
        raise AnnounceError(
            f"A service of the machine runs as a user of its own, and could not start this program: {hidden}. Install "
            "Hybridisco where everybody may use it (for example `python3 -m venv /opt/hybridisco`), or install the "
            "service for your user (--user)."
        )


def _check_manager(plan: Plan, machine: Machine, force: bool) -> None:
    if not machine.manager_runs and not force:
        raise AnnounceError(
            "systemd does not run this machine (probably it is a container, WSL, or another init system), so nothing "
            "was written. Let what starts your other programs run `hybridisco announce` too; for Docker and Kubernetes "
            f"there are examples in announcers/deploy. --force writes {plan.file} all the same."
        )


def _check_origin(plan: Plan, machine: Machine, force: bool, instead: str) -> None:
    from announcers.service.seal import Origin, origin

    made_by = origin(machine.text(plan))
    if made_by in (Origin.NOBODY, Origin.OURS) or force:
        return
    what = "has been changed by hand since it was installed" if made_by is Origin.EDITED else "was not written by us"
    raise AnnounceError(f"{plan.file} {what}, so it is left as it is. {instead} give --force: it is then lost.")


def _show(plan: Plan, machine: Machine, checks: Iterable[Callable[[], None]]) -> int:
    """Print what would be done, in its order; and below, all that would keep it from being done."""
    _print_commands(plan.before)
    if plan.text is None:
        click.echo(f"Would remove {plan.file}")
    else:
        click.echo(f"Would write {plan.file}:\n\n{plan.text}")
    _print_commands(plan.after)
    if not machine.manager_runs:
        click.echo("systemd does not run this machine: these commands would be left out.")
    for check in checks:
        try:
            check()
        except AnnounceError as error:
            click.echo(f"Would be refused: {error}")
    return 0


def _print_commands(commands: tuple[Command, ...]) -> None:
    for command in commands:
        click.echo(f"Would run   {_shown(command.argv)}")


def _carry_out(plan: Plan, machine: Machine, *, go_on: bool = False) -> None:
    """Do what the plan says, and say each step."""
    runs = machine.manager_runs
    _run(plan.before if runs else (), machine, go_on)
    file = machine.place(plan.file)
    try:
        if plan.text is None:
            file.unlink(missing_ok=True)
            click.echo(f"Removed {plan.file}")
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            draft = file.with_name(f".{file.name}.new")
            draft.write_text(plan.text, plan.encoding)
            draft.chmod(0o644)
            draft.replace(file)
            click.echo(f"Wrote   {plan.file}")
    except OSError as error:
        raise AnnounceError(
            f"{plan.file} could not be changed ({error.strerror or error}). Probably the disk is full or read-only (an "
            "image-based system keeps its units elsewhere), or the folder belongs to another user."
        ) from error
    _run(plan.after if runs else (), machine, go_on)
    if not runs:
        click.echo("systemd does not run this machine: nothing was started. Where it does, run:")
        for command in plan.after:
            click.echo(f"  {_shown(command.argv)}")
    for step in plan.next_steps:
        click.echo(f"- {step}")


def _run(commands: tuple[Command, ...], machine: Machine, go_on: bool) -> None:
    for command in commands:
        sys.stdout.flush()
        said = machine.run(command)
        if said is None:
            click.echo(f"Ran     {_shown(command.argv)}")
        elif command.may_fail or go_on:
            click.echo(f"Skipped {_shown(command.argv)} ({said[:200]})")
        else:
            raise AnnounceError(f"`{_shown(command.argv)}` failed: {said[:500]}{_hint(said, machine)}")


def _hint(said: str, machine: Machine) -> str:
    """Return why it is likely and what to do."""
    lowered = said.lower()
    if machine.system == "linux" and "bus" in lowered:
        return (
            "\nProbably you became this user by su or sudo, without a session of its own. Log in as that user (ssh, or "
            f"`machinectl shell {machine.user}@`), and run this again."
        )
    if machine.system == "linux" and "status=" not in lowered and "journalctl" in lowered:
        return "\nIts log says why. Correct that, and run this again; until then it is tried every few seconds."
    return "\nCorrect that, and run this again: what is done already does no harm."


def _shown(argv: tuple[str, ...]) -> str:
    from shlex import join

    return join(argv)
