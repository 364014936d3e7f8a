"""``hybridisco kinds``: what is recognised."""

from __future__ import annotations

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def kinds(as_json: bool) -> int:
    """Show which kinds of backends are recognised, and the ports they are searched at.

    Your settings can give a kind other ports, and describe new kinds.
    """
    from hybridisco.config import load
    from hybridisco.faces.cli.search import warn

    config = load()
    if as_json:
        import json

        said = [
            {
                "id": kind.id,
                "title": kind.title,
                "ports": list(kind.ports),
                "capabilities": list(kind.capabilities),
                "aliases": list(kind.aliases),
                "homepage": kind.homepage or None,
            }
            for kind in config.kinds
        ]
        click.echo(json.dumps({"schema": 1, "kinds": said}, indent=2))
    else:
        rows: list[tuple[str, ...]] = [("KIND", "TITLE", "PORTS", "MAKES")]
        rows += [
            (kind.id, kind.title, ", ".join(map(str, _short(kind.ports))), ", ".join(kind.capabilities))
            for kind in sorted(config.kinds, key=lambda kind: kind.id)
        ]
        click.echo(_columns(rows))
    warn(config)
    return 0


def _short(ports: tuple[int, ...]) -> list[str]:
    """Return ports for people: 7860, 7861, 7862 are 7860–7862."""
    from itertools import groupby

    out: list[str] = []
    for _, run in groupby(enumerate(ports), key=lambda pair: pair[1] - pair[0]):
        numbers = [port for _, port in run]
        out += [f"{numbers[0]}-{numbers[-1]}"] if len(numbers) > 2 else [str(port) for port in numbers]
    return out


def _columns(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
