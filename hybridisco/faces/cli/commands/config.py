"""``hybridisco config``: the user's file."""

from __future__ import annotations

import click


@click.group(invoke_without_command=True, options_metavar="", subcommand_metavar="[COMMAND]")
@click.pass_context
def config(ctx: click.Context) -> int | None:
    """Show, check or begin your settings. Without a COMMAND it checks them.

    Exit status: 0 if all is right, 2 if the file is wrong or cannot be written.
    """
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
    from hybridisco.config.doubts import doubts
    from hybridisco.faces.cli.outcome import say
    from hybridisco.faces.cli.search import warn
    from hybridisco.sources.interfaces import interfaces

    settings = load()
    if settings.file is None:
        click.echo(f"{config_file()} does not exist: the defaults hold. `hybridisco config init` begins one.")
    else:
        number = len(settings.services)
        click.echo(f"{settings.file} is right; it has {number} service{'' if number == 1 else 's'}.")
    warn(settings)
    for doubt in doubts(settings, [interface.name for interface in interfaces()]):
        say(f"Warning: {doubt}")
    return 0


@config.command()
def show() -> int:
    """Print the settings that hold, defaults included, as TOML."""
    from hybridisco.config import load
    from hybridisco.config.dump import toml

    click.echo(toml(load()))
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
