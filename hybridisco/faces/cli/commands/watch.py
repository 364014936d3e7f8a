"""``hybridisco watch``: what comes and goes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from hybridisco.faces.cli import options

if TYPE_CHECKING:
    from hybridisco.config import Config
    from hybridisco.core.model import Event, Snapshot
    from hybridisco.faces.cli.search import Wish
    from hybridisco.manager import ServiceDiscoveryManager

_REDRAW_S = 0.25  # at most four times a second
_HEALTH_S = 1.0


@click.command(cls=options.SearchCommand)
@options.filters
@click.option("--json", "as_json", is_flag=True, help="Print one event a line, as JSON.")
def watch(
    kinds: tuple[str, ...], sources: tuple[str, ...], hosts: tuple[str, ...], show_all: bool, as_json: bool
) -> int:
    """Show backends as they come and go, until Ctrl-C.

    On a terminal it is a table that keeps itself true; into a pipe it is one line for each event.

    Exit status: 130, since only Ctrl-C ends it; 2 for wrong usage or settings, 3 if discovery cannot run.
    """
    from hybridisco.config import load
    from hybridisco.faces.cli.search import warn, wish

    config = load()
    want = wish(config, kinds, sources, hosts, show_all)
    warn(config)
    asyncio.run(_watch(config, want, as_json=as_json))
    return 0


class Visible:
    """Turns events of the registry into events of what the user sees: a filter may let a service in late."""

    def __init__(self, want: Wish) -> None:
        self._want = want
        self._shown: set[str] = set()

    def events(self, events: tuple[Event, ...]) -> list[Event]:
        """Return the events to show."""
        from hybridisco.core.model import Event, EventType

        out: list[Event] = []
        for event in events:
            service = event.service
            before = service.id in self._shown
            after = event.type is not EventType.REMOVED and self._want.shows(service)
            if after:
                self._shown.add(service.id)
                out.append(Event(EventType.UPDATED if before else EventType.ADDED, service))
            elif before:
                self._shown.discard(service.id)
                out.append(Event(EventType.REMOVED, service))
        return out


async def _watch(config: Config, want: Wish, *, as_json: bool) -> None:
    import sys

    from hybridisco.core.trust import OFF
    from hybridisco.faces.cli.terminal import is_terminal
    from hybridisco.manager import ServiceDiscoveryManager

    async with ServiceDiscoveryManager(config, sources=want.sources) as manager:
        live = is_terminal(sys.stdout) and not as_json
        show = (
            _table(manager, want, checking=config.trust_mode != OFF) if live else _lines(manager, want, as_json=as_json)
        )
        tasks = [asyncio.create_task(job) for job in (show, manager.run(), _healthy(manager))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _healthy(manager: ServiceDiscoveryManager) -> None:
    """Raise when every source has failed: then there is nothing to watch any more."""
    from hybridisco.core.errors import DiscoveryError

    while True:
        await asyncio.sleep(_HEALTH_S)
        states = [state for _, state in manager.snapshot.sources if state.state != "off"]
        if states and all(state.state == "error" for state in states):
            raise DiscoveryError("Discovery could not run. " + " ".join(state.detail or "" for state in states))


async def _lines(manager: ServiceDiscoveryManager, want: Wish, *, as_json: bool) -> None:
    """Print one line for each event, at once."""
    from hybridisco.formats.events import event_line
    from hybridisco.formats.json_ import event_line as json_line

    visible = Visible(want)
    queue: asyncio.Queue[tuple[Event, ...]] = asyncio.Queue()
    unsubscribe = manager.subscribe(lambda events, _: queue.put_nowait(events))
    try:
        while True:
            for event in visible.events(await queue.get()):
                click.echo(json_line(event) if as_json else event_line(event))
    finally:
        unsubscribe()


async def _table(manager: ServiceDiscoveryManager, want: Wish, *, checking: bool) -> None:
    """Keep a table on the terminal true; it is drawn again only when something changed."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    from hybridisco.faces.cli.terminal import look
    from hybridisco.formats.table import lines

    paper = replace(look(), checking=checking)  # now: Live puts something of its own in place of stdout
    console = Console(color_system="auto" if paper.color else None, highlight=False)

    def picture() -> Group:
        snapshot: Snapshot = want.filtered(manager.snapshot)
        head = Text(_count(len(snapshot.services)), "dim")
        rows = lines(snapshot, replace(paper, width=console.width), footer=False)
        return Group(*(Text.assemble(row, no_wrap=True, overflow="crop") for row in rows), head)

    changed = asyncio.Event()
    unsubscribe = manager.subscribe(lambda *_: changed.set())
    width = console.width
    try:
        with Live(picture(), console=console, auto_refresh=False) as live:
            while True:
                try:
                    await asyncio.wait_for(changed.wait(), 1.0)
                except TimeoutError:
                    if console.width == width:  # a window that changed its size needs a new picture
                        continue
                changed.clear()
                width = console.width
                live.update(picture(), refresh=True)
                await asyncio.sleep(_REDRAW_S)
    finally:
        unsubscribe()


def _count(number: int) -> str:
    return f"{number or 'No'} backend{'' if number == 1 else 's'}{'' if number else ' yet'}. Ctrl-C ends."
