"""``hybridisco probe``: look at one host now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from hybridisco.faces.cli import options

if TYPE_CHECKING:
    from hybridisco.config import Config
    from hybridisco.core.model import Snapshot
    from hybridisco.core.target import Target


@click.command()
@click.argument("where", metavar="HOST[:PORT]")
@options.kind
@options.timeout
@options.output
@click.pass_context
def probe(ctx: click.Context, where: str, kind: str | None, timeout_s: float | None) -> int:
    """Look at one host, or at one port of it.

    With a port it says what answers there, or why nothing does. With a host only it searches the usual ports of
    every kind, and those of your settings. A URL (http://gpu-box:8188/base) or an address is welcome too.

    Exit status: 0 if a backend of a known kind answers, 1 if none does, 2 for wrong usage or settings.
    """
    import asyncio

    from hybridisco.config import load
    from hybridisco.core.model import UNKNOWN_KIND
    from hybridisco.core.target import parse
    from hybridisco.faces.cli.commands.list_ import show
    from hybridisco.faces.cli.search import NOTHING, answering, kind_id, search, wish
    from hybridisco.faces.cli.terminal import say

    config = load()
    target = parse(where)
    claimed = kind_id(config, kind) if kind else None
    if target.port is None:
        config = replace(config, probe_hosts=(str(target),))
        want = wish(config, [claimed] if claimed else [], ["probe"])
        snapshot = asyncio.run(search(config, want, timeout_s))
    else:
        want = replace(wish(config, sources=["manual", "probe"]), show_all=True)
        snapshot = asyncio.run(_check(config, target, claimed, timeout_s))
    show(options.chosen_format(ctx), config, want, snapshot)
    shown = want.filtered(snapshot)
    if shown.services and all(service.kind == UNKNOWN_KIND for service in shown.services):
        if answering(shown) != NOTHING:
            say(f"A web server answers at {target}, but none of the kinds that `hybridisco kinds` lists.")
        return NOTHING
    return answering(shown)


async def _check(config: Config, target: Target, kind: str | None, timeout_s: float | None) -> Snapshot:
    """Return what there is at one port, or what is known when the time is up."""
    import asyncio

    from hybridisco.faces.cli.terminal import Progress
    from hybridisco.manager import ServiceDiscoveryManager

    async with ServiceDiscoveryManager(config, sources=()) as manager, Progress(lambda: f"Looking at {target} …"):
        try:
            async with asyncio.timeout(timeout_s or config.timeout_s):
                return await manager.check(target, kind)
        except TimeoutError:
            return manager.snapshot
