"""``hybridisco list``: what is there now."""

from __future__ import annotations

import click

from hybridisco.faces.cli import options


@click.command(name="list", cls=options.SearchCommand)
@options.filters
@options.timeout
@click.option("--wait", is_flag=True, help="Wait for the first that answers, and end then.")
@click.option("--ids", is_flag=True, help="Also show the ids, in the table.")
@options.output
@click.pass_context
def list_(
    ctx: click.Context,
    kinds: tuple[str, ...],
    sources: tuple[str, ...],
    hosts: tuple[str, ...],
    show_all: bool,
    timeout_s: float | None,
    wait: bool,
    ids: bool,
) -> int:
    """Show the backends that are there now.

    Searches this machine, the LAN (mDNS) and what you added, and ends as soon as the answer is complete: three
    quarters of a second where nobody on the LAN answers, `--source probe` or `--source manual` does not wait for it.

    Exit status: 0 if at least one service that is shown answers (online, busy, starting or locked), 1 if none
    does, 2 for wrong usage or settings, 3 if discovery could not run.
    """
    from hybridisco.faces.cli.listing import list_services

    return list_services(
        options.chosen_format(ctx),
        kinds=kinds,
        sources=sources,
        hosts=hosts,
        show_all=show_all,
        timeout_s=timeout_s,
        wait=wait,
        ids=ids,
    )
