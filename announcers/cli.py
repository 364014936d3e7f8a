"""The command ``hybridisco announce``, and the way to its subcommands."""

from __future__ import annotations

import asyncio
import importlib
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hybridisco import UsageError, known_kind, load_config, state_folder

if TYPE_CHECKING:
    from announcers.assignment import Assignment
    from announcers.runner import Task
    from hybridisco import Config

_SUBCOMMANDS = ("install", "uninstall", "status")


class _Announce(click.Command):
    """A command whose first argument may also name a subcommand: no kind of backend is called so."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args and args[0] in _SUBCOMMANDS:
            command: click.Command = getattr(importlib.import_module("announcers.service.cli"), args[0])
            known = {name for parameter in command.params for name in parameter.opts}
            command.params += [each for each in self.params if "-v" in each.opts and "-v" not in known]
            return command.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=_Announce)
@click.argument("kinds", nargs=-1, metavar="[KIND]...")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the one KIND; its usual one when left out.")
@click.option("--name", help="Name of the one KIND; '<kind> on <this machine>' when left out.")
@click.option("--path", default="/", show_default=True, help="Base path of the one KIND.")
@click.option("--tls", is_flag=True, help="The one KIND speaks https.")
@click.option("--not", "left_out", multiple=True, metavar="KIND", help="Leave this kind out.")
@click.option("--ports", multiple=True, metavar="RANGE", help="Look at these ports too, such as 9000-9010.")
@click.option("--bind", multiple=True, metavar="ADDRESS", help="Announce only these addresses of this machine.")
@click.option("--interface", multiple=True, metavar="NAME", help="Announce only on these interfaces.")
@click.option("--status-file", type=click.Path(path_type=Path), help="Where to say what is done.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--avahi-xml", is_flag=True, help="Print a static service file for Avahi for the one KIND, and end.")
def announce(
    kinds: tuple[str, ...],
    port: int | None,
    name: str | None,
    path: str,
    tls: bool,
    left_out: tuple[str, ...],
    ports: tuple[str, ...],
    bind: tuple[str, ...],
    interface: tuple[str, ...],
    status_file: Path | None,
    log_format: str,
    avahi_xml: bool,
) -> None:
    """Announce the backends of this machine to the whole LAN.

    Without a KIND it finds them all and follows those that come and go; with one it waits for that one at its
    usual port or --port; with several it finds those. Each is looked at every few seconds: it is announced while it
    answers as its kind, and withdrawn when it does not. Runs until it is stopped (Ctrl-C, or SIGTERM), then says
    goodbye; SIGHUP makes it read its settings again.

    \b
    hybridisco announce install|uninstall    run it as a service of this machine
    hybridisco announce status               what it does now

    \b
    Exit status:
      0    stopped by SIGTERM
      130  stopped by Ctrl-C
      2    wrong usage, or an interface or address that this machine does not have
      3    it could not announce
    """
    only_one = len(kinds) == 1
    if not only_one and (port or name or tls or path != "/" or avahi_xml):
        raise UsageError(
            "--port, --name, --path, --tls and --avahi-xml are about one backend: name its KIND, as in "
            "`hybridisco announce comfyui --port 8190`. Names of several stand in the config, section [announce]."
        )
    about_one = port or name or tls or path != "/"
    if only_one and not avahi_xml and (left_out or (ports and about_one)):
        raise UsageError(
            "--ports and --not are about finding backends, and --port, --name, --path and --tls about one that you "
            "name. Leave out the one or the other."
        )
    addresses = _addresses(bind)

    def fixed(config: Config) -> tuple[Assignment, ...]:
        from announcers.assignment import Assignment
        from announcers.finder import name_in

        if not only_one or (ports and not avahi_xml):
            return ()
        kind = known_kind(config.kinds, kinds[0])
        if port is None and not kind.ports:
            raise UsageError(f"{kind.title} has no usual port. Say it with --port.")
        settings = config.announce
        at = port or kind.ports[0]
        return (
            Assignment(
                kind,
                at,
                name or name_in(settings.names, kind.id, at),
                f"/{path.strip('/')}",
                tls,
                addresses,
                interface or settings.interfaces,
                settings.bridges,
                settings.temporary,
            ),
        )

    def task() -> Task:
        from announcers.assignment import check
        from announcers.runner import Task

        config = load_config()
        jobs = fixed(config)
        for job in jobs:
            check(job)
        return Task(_plan(config, kinds, left_out, ports, addresses, interface), jobs)

    if avahi_xml:
        click.echo(_avahi(fixed(load_config())[0]), nl=False)
        return
    from announcers.runner import Runner
    from announcers.service.job import STATUS_FILE

    folder = state_folder()
    runner = Runner(task, folder, status_file or folder / STATUS_FILE)
    if log_format == "json":
        _log_json()
    if asyncio.run(runner.run()) == signal.SIGINT:
        raise KeyboardInterrupt


def _plan(
    config: Config,
    kinds: tuple[str, ...],
    left_out: tuple[str, ...],
    ports: tuple[str, ...],
    addresses: tuple[str, ...],
    interface: tuple[str, ...],
) -> Any:
    from dataclasses import replace

    from announcers.assignment import check_links
    from announcers.finder import Plan
    from hybridisco import parse_ports

    settings = config.announce
    without = {known_kind(config.kinds, name).id for name in left_out}
    known = tuple(replace(kind, announced=False) if kind.id in without else kind for kind in config.kinds)
    asked = tuple(known_kind(config.kinds, name).id for name in kinds) or settings.kinds
    only = tuple(kind for kind in asked if kind not in without)
    if asked and not only:
        raise UsageError("--not leaves no kind to announce. Leave one of them in.")
    plan = Plan(
        kinds=known,
        only=only,
        ports=(*config.probe_ports, *settings.ports, *(parse_ports(each) for each in ports)),
        names=settings.names,
        bind=addresses,
        interfaces=interface or settings.interfaces,
        bridges=settings.bridges,
        temporary=settings.temporary,
    )
    check_links(interface, addresses)
    return plan


def _avahi(job: Assignment) -> str:
    from announcers.service.avahi import HOST, StaticEntry, avahi_xml
    from hybridisco import TxtRecord

    record = TxtRecord(kind=job.kind.id, path=job.path, tls=job.tls, capabilities=job.kind.capabilities)
    return avahi_xml(StaticEntry(job.name or f"{job.kind.title} on {HOST}", job.port, record))


def _addresses(bind: tuple[str, ...]) -> tuple[str, ...]:
    from ipaddress import ip_address

    try:
        # `ip address` and others show fe80:: addresses with a zone; ours are told apart without.
        return tuple(str(ip_address(text.partition("%")[0])) for text in bind)
    except ValueError as error:
        raise UsageError(f"--bind takes an address of this machine, such as 192.168.1.20 ({error}).") from error


def _log_json() -> None:
    from announcers.logs import JsonLines

    for handler in logging.getLogger().handlers:
        handler.setFormatter(JsonLines())
