"""``hybridisco config``: the user's file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hybridisco.config import Config


@click.group(invoke_without_command=True)
@click.pass_context
def config(ctx: click.Context) -> int | None:
    """Show, check or begin your settings."""
    if ctx.invoked_subcommand is not None:
        return None
    return int(ctx.invoke(check))


@config.command()
def path() -> int:
    """Print where the file is, or would be."""
    from hybridisco.config import config_file

    click.echo(str(config_file()))
    return 0


@config.command()
def check() -> int:
    """Tell whether the file is right, and where it is. Exit status 2 if it is wrong."""
    from hybridisco.config import config_file, load
    from hybridisco.faces.cli.search import warn

    settings = load()
    if settings.file is None:
        click.echo(f"{config_file()} does not exist: the defaults hold. `hybridisco config init` begins one.")
    else:
        number = len(settings.services)
        click.echo(f"{settings.file} is right; it has {number} service{'' if number == 1 else 's'}.")
    warn(settings)
    return 0


@config.command()
def show() -> int:
    """Print the settings that hold, defaults included, as TOML."""
    from hybridisco.config import load

    click.echo(_toml(load()))
    return 0


@config.command()
def init() -> int:
    """Write a file in which every key is explained. Never overwrites one."""
    from hybridisco.config import config_file
    from hybridisco.config.edit import create
    from hybridisco.config.example import EXAMPLE

    file = config_file()
    create(file, EXAMPLE)
    click.echo(f"Written: {file}")
    return 0


def _toml(settings: Config) -> str:
    """Return the settings as TOML (its strings and lists of strings are written as JSON's)."""

    def value(it: object) -> str:
        return json.dumps(it, ensure_ascii=False).replace("\x7f", "\\u007f")

    ports = [f"{low}-{high}" if low != high else str(low) for low, high in settings.probe_ports]
    lines = [
        f"# {settings.file or 'no file: the defaults'}",
        "[discovery]",
        f"timeout_s = {settings.timeout_s}",
        f"sources = {value(settings.sources)}",
        f"ignore = {value(settings.ignore)}",
        "",
        "[probe]",
        f"hosts = {value(settings.probe_hosts)}",
        f"ports = {value(ports)}",
        f"timeout_s = {settings.probe_timeout_s}",
        f"rescan_s = {settings.rescan_s}",
        "",
        "[mdns]",
        f"interfaces = {value(settings.interfaces)}",
        f"types = {{ {', '.join(f'{value(name)} = {value(kind)}' for name, kind in settings.mdns_types)} }}",
    ]
    for entry in settings.services:
        pairs = {"name": entry.name, "kind": entry.kind, "url": entry.url}
        lines += ["", "[[services]]", *(f"{key} = {value(said)}" for key, said in pairs.items() if said is not None)]
    return "\n".join(lines)
