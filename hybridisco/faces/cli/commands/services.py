"""``hybridisco add``, ``remove`` and ``ignore``: changes to the user's file."""

from __future__ import annotations

import click

from hybridisco.faces.cli import options


@click.command()
@click.argument("url", metavar="URL")
@options.kind
@click.option("--name", help="How it is called in lists.")
def add(url: str, kind: str | None, name: str | None) -> int:
    """Add a backend by its URL (http://gpu-box:8188), so that it is always listed.

    It is written into your settings; `hybridisco list` then says how it is.
    """
    from hybridisco.config import config_file
    from hybridisco.config.edit import add_service
    from hybridisco.faces.cli.terminal import say

    file = config_file()
    entry = add_service(file, url, kind, name)
    say(f"Added {entry.name or entry.url}{f' ({entry.kind})' if entry.kind else ''} to {file}.")
    return 0


@click.command()
@click.argument("which", metavar="URL|NAME|ID")
def remove(which: str) -> int:
    """Remove a backend that was added, by its URL, name or id."""
    from hybridisco.config import config_file
    from hybridisco.config.edit import remove_service
    from hybridisco.faces.cli.terminal import say

    file = config_file()
    for entry in remove_service(file, which):
        say(f"Removed {entry.name or entry.url} from {file}.")
    return 0


@click.command()
@click.argument("service_id", metavar="ID")
@click.option("--undo", is_flag=True, help="Show it again.")
def ignore(service_id: str, undo: bool) -> int:
    """Keep a service out of every list, by its id (`hybridisco list --json` shows the ids)."""
    from hybridisco.config import config_file
    from hybridisco.config.edit import add_ignore, remove_ignore
    from hybridisco.faces.cli.terminal import say

    file = config_file()
    if undo:
        say(f"{service_id} is shown again." if remove_ignore(file, service_id) else f"{service_id} was not ignored.")
    else:
        new = add_ignore(file, service_id)
        say(f"{service_id} {'is ignored now' if new else 'was ignored already'}; --all still shows it.")
    return 0
