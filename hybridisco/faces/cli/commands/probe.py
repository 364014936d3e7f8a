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

    Exit status: 0 if a backend of a known kind answers, 1 if none does, 2 for wrong usage or settings, 3 if the
    probe could not run.
    """
    import asyncio

    from hybridisco.config import load
    from hybridisco.core.model import UNKNOWN_KIND
    from hybridisco.core.target import parse
    from hybridisco.faces.cli.listing import show
    from hybridisco.faces.cli.outcome import NOTHING, say
    from hybridisco.faces.cli.search import answering, kind_id, search, wish

    config = load()
    target = parse(where)
    _refuse_no_host(where, target)
    claimed = kind_id(config, kind) if kind else None
    probed = target if target.port is None else None
    if probed is not None and not asyncio.run(_has_address(probed)):
        return _say_unknown(options.chosen_format(ctx), probed)
    if probed is not None:
        config = replace(config, probe_hosts=(str(target),))
        want = wish(config, [claimed] if claimed else [], ["probe"])
        snapshot = asyncio.run(search(config, want, timeout_s))
    else:
        want = replace(wish(config, sources=["manual", "probe"]), show_all=True)
        snapshot = asyncio.run(_check(config, target, claimed, timeout_s))
    show(options.chosen_format(ctx), config, want, snapshot, probed=probed)
    shown = want.filtered(snapshot)
    if shown.services and all(service.kind == UNKNOWN_KIND for service in shown.services):
        if answering(shown) != NOTHING:
            say(f"A web server answers at {target}, but none of the kinds that `hybridisco kinds` lists.")
        return NOTHING
    return answering(shown)


def _refuse_no_host(where: str, target: Target) -> None:
    """Refuse a network, and a path without a port. :raises UsageError: it is one of them."""
    from hybridisco.core.errors import UsageError

    if target.port is not None or target.path == "/":
        return
    if target.is_address and target.path[1:].isdigit():
        raise UsageError(
            f"{where} is a network, not a host. Hybridisco searches no whole network: backends that are announced are "
            f"found by `hybridisco list` anyway. For one host, write `hybridisco probe {target.host}`."
        )
    raise UsageError(f"{where} has a path but no port. Write {target.host}:PORT{target.path}.")


async def _has_address(host: Target) -> bool:
    from hybridisco.sources.resolve import resolve

    return bool(await resolve(host.host, host.zone))


def _say_unknown(fmt: str, host: Target) -> int:
    """Say that a name is not known. For the search it is a source that failed; for the user it is an answer."""
    from hybridisco.core.model import Endpoint, Snapshot, SourceName, SourceState
    from hybridisco.core.problems import NO_INTERFACE, UNRESOLVED, explain
    from hybridisco.faces.cli.outcome import NOTHING, say
    from hybridisco.faces.cli.terminal import look
    from hybridisco.formats import render

    place = Endpoint(host.host if host.is_address else "", 80, host=host.host, interface=host.zone)
    why = explain(NO_INTERFACE if host.zone else UNRESOLVED, place, None, local=False)
    states = {
        name: SourceState("error", why) if name is SourceName.PROBE else SourceState("off") for name in SourceName
    }
    text = render(fmt, Snapshot(sources=tuple(states.items()), complete=True), look())
    if text:
        click.echo(text)
    if fmt != "json":
        say(why)
    return NOTHING


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
