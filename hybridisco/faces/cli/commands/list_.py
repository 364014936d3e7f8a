"""``hybridisco list``: what is there now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hybridisco.faces.cli import options

if TYPE_CHECKING:
    from hybridisco.config import Config
    from hybridisco.core.model import Snapshot
    from hybridisco.faces.cli.search import Wish


@click.command(name="list")
@options.filters
@options.timeout
@click.option("--wait", is_flag=True, help="Wait for the first that answers, and end then.")
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
) -> int:
    """Show the backends that are there now.

    Searches this machine, the LAN (mDNS) and what you added, and ends as soon as the answer is complete.

    Exit status: 0 if at least one service that is shown answers (online, busy, starting or locked), 1 if none
    does, 2 for wrong usage or settings, 3 if discovery could not run.
    """
    import asyncio

    from hybridisco.config import load
    from hybridisco.faces.cli.search import answering, search, wish

    config = load()
    want = wish(config, kinds, sources, hosts, show_all)
    snapshot = asyncio.run(search(config, want, timeout_s, wait=wait))
    show(options.chosen_format(ctx), config, want, snapshot)
    return answering(want.filtered(snapshot))


def show(fmt: str, config: Config, want: Wish, snapshot: Snapshot) -> None:
    """Print what is wanted of a snapshot on stdout, and on stderr what else there is to say."""
    from hybridisco.faces.cli.search import explain_nothing, warn
    from hybridisco.faces.cli.terminal import look
    from hybridisco.formats import render

    shown = want.filtered(snapshot)
    text = render(fmt, shown, look())
    if text:
        click.echo(text)
    told = fmt == "json" or (fmt == "table" and shown.services)  # these tell of warnings themselves
    warn(config, None if told else snapshot)
    if not shown.services:
        explain_nothing(config, want, snapshot)
