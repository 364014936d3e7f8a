"""``hybridisco list``: what is there now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from hybridisco.faces.cli import options

if TYPE_CHECKING:
    from hybridisco.config import Config
    from hybridisco.core.model import Snapshot
    from hybridisco.core.target import Target
    from hybridisco.faces.cli.search import Wish


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
    show(options.chosen_format(ctx), config, want, snapshot, ids=ids, enough=wait)
    return answering(want.filtered(snapshot))


def show(
    fmt: str,
    config: Config,
    want: Wish,
    snapshot: Snapshot,
    *,
    probed: Target | None = None,
    ids: bool = False,
    enough: bool = False,
) -> None:
    """Print what is wanted of a snapshot on stdout, and on stderr what else there is to say.

    :param probed: the one host that was searched, if so.
    :param ids: show them in the table.
    :param enough: the first that answers was asked for: if there is one, that more may be there is no news.
    """
    from hybridisco.core.trust import OFF
    from hybridisco.faces.cli.explain import explain_nothing, unclear
    from hybridisco.faces.cli.search import FOUND, answering, warn
    from hybridisco.faces.cli.terminal import look, say
    from hybridisco.formats import render

    shown = want.filtered(snapshot)
    if fmt == "table" and enough and answering(shown) == FOUND:
        shown = replace(shown, complete=True)
    text = render(fmt, shown, replace(look(), ids=ids, checking=config.trust_mode != OFF))
    if text:
        click.echo(text)
    told = fmt == "json" or (fmt == "table" and shown.services)  # these tell of warnings themselves
    warn(config, None if told else snapshot)
    if not shown.services:
        explain_nothing(config, want, snapshot, probed)
        return
    if not text:
        say(_none_usable(shown))
    for line in unclear(config, want, snapshot):
        say(line)


def _none_usable(shown: Snapshot) -> str:
    """Return what to say where nothing of what was found can be printed."""
    from hybridisco.core.model import Status

    number = len(shown.services)
    untrusted = sum(service.status is Status.UNTRUSTED for service in shown.services)
    what = f"none that may be used ({untrusted} untrusted)" if untrusted else "none answers"
    return f"{number} service{'' if number == 1 else 's'}, {what}; `hybridisco list` says why."
