"""``hybridisco add``, ``remove`` and ``ignore``: changes to the user's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hybridisco.faces.cli import options

if TYPE_CHECKING:
    from hybridisco.config import Config
    from hybridisco.core.model import Service


@click.command()
@click.argument("url", metavar="URL")
@options.kind
@click.option("--name", help="How it is called in lists.")
def add(url: str, kind: str | None, name: str | None) -> int:
    """Add a backend by its URL (http://gpu-box:8188), so that it is always listed.

    It is written into your settings; `hybridisco list` then says how it is.

    Exit status: 0 if it was written down, 2 for wrong usage or settings (nothing is changed then).
    """
    from hybridisco.config import config_file
    from hybridisco.config.edit import add_service
    from hybridisco.faces.cli.outcome import say

    file = config_file()
    entry = add_service(file, url, kind, name)
    say(f"Added {entry.name or entry.url}{f' ({entry.kind})' if entry.kind else ''} to {file}.")
    return 0


@click.command()
@click.argument("which", metavar="URL|NAME|ID")
def remove(which: str) -> int:
    """Remove a backend that was added, by its URL, name or id.

    Exit status: 0 if it was removed, 2 if there is none, and for wrong usage or settings.
    """
    from hybridisco.config import config_file
    from hybridisco.config.edit import remove_service
    from hybridisco.faces.cli.outcome import say

    file = config_file()
    for entry in remove_service(file, which):
        say(f"Removed {entry.name or entry.url} from {file}.")
    return 0


@click.command()
@click.argument("which", metavar="URL|NAME|ID")
@click.option("--undo", is_flag=True, help="Show it again.")
def ignore(which: str, undo: bool) -> int:
    """Keep a service out of every list, by its URL, name or id (`hybridisco list --ids` shows the ids).

    A URL or name is searched for, as `hybridisco list` does; what is written down is the id.

    Exit status: 0 if it was done, 2 for wrong usage or settings (nothing is changed then).
    """
    import asyncio

    from hybridisco.config import config_file, load
    from hybridisco.config.edit import add_ignore, remove_ignore
    from hybridisco.faces.cli.outcome import say

    file, config = config_file(), load()
    # What is in the file is an id, and needs no search.
    service = None if which in config.ignore else asyncio.run(_find(config, which))
    service_id = service.id if service else which
    shown = f"{service.name} ({service_id})" if service else service_id
    if undo:
        say(f"{shown} is shown again." if remove_ignore(file, service_id) else f"{shown} was not ignored.")
        return 0
    if not add_ignore(file, service_id):
        say(f"{shown} was ignored already; --all still shows it.")
    elif service is None:
        say(f"No service with this id is known now; it is written down anyway: {service_id}. --all would show it.")
    else:
        say(f"{shown} is ignored now; --all still shows it.")
    return 0


async def _find(config: Config, which: str) -> Service | None:
    """Return the service that is meant, or None if none is found. :raises UsageError: there are several."""
    from hybridisco.core.errors import DiscoveryError, UsageError
    from hybridisco.core.target import parse
    from hybridisco.faces.cli.search import is_at, search, wish

    try:
        target = parse(which)
    except UsageError:
        target = None  # a name, or an id with an @ in it

    def meant(service: Service) -> bool:
        if service.name.casefold() == which.strip().casefold():
            return True
        if target is None or target.port is None or not is_at(service, target):
            return False
        return any(endpoint.path == target.path for endpoint in service.endpoints)

    try:
        snapshot = await search(config, wish(config, show_all=True))
    except DiscoveryError:
        return None
    by_id = snapshot.get(which)
    if by_id is not None:
        return by_id
    found = list(filter(meant, snapshot))
    if len(found) > 1:
        ids = ", ".join(service.id for service in found)
        raise UsageError(f"{which} may be one of {len(found)} services. Name it by its id: {ids}.")
    return found[0] if found else None
