"""``hybridisco doctor``: why is something not seen?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hybridisco.faces.cli import options

if TYPE_CHECKING:
    from hybridisco.doctor.report import Report

SOUND, WRONG = 0, 1


@click.command()
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="HOST",
    help="Also test the way to this machine, by name or address. May be repeated.",
)
@options.listening
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def doctor(hosts: tuple[str, ...], listen_s: float | None, as_json: bool) -> int:
    """Find out why something is not seen, and say what to do.

    Looks at this machine's network, firewall, settings and backends, and at what is announced. Where a sidecar
    (`hybridisco announce`) runs on another machine, it also tells on which side packets are lost. Changes nothing.
    As root it sees more: the firewall's rules, and which program has port 5353.

    Exit status: 0 if nothing is wrong, 1 if something is, 2 for wrong usage, 3 if it could not look.
    """
    import asyncio

    from hybridisco.core import target
    from hybridisco.doctor import document, text
    from hybridisco.doctor.examine import examine
    from hybridisco.faces.cli.terminal import Progress, look

    asked = tuple(target.parse(host) for host in hosts)

    async def looked() -> Report:
        async with Progress(lambda: "Looking at the network …"):
            return await examine(asked, listen_s)

    report = asyncio.run(looked())
    click.echo(document.render(report) if as_json else text.render(report, look()))
    return SOUND if report.sound else WRONG
