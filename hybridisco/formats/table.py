"""The table for people. The only format that needs rich, which is imported only to draw.

Two shapes. Where everything fits, a service is one row; where it does not (80 columns, long IPv6 URLs), it is
two: what people look for first, then the rest in a dim line. A URL is never cut: it is there to be copied.
"""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING

from hybridisco.core.model import Service, Snapshot, Status, status_rank
from hybridisco.formats import Look

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# Status: icon, its ASCII stand-in, style.
_LOOKS: dict[Status, tuple[str, str, str]] = {
    Status.ONLINE: ("●", "*", "green"),
    Status.BUSY: ("◐", "%", "yellow"),
    Status.STARTING: ("◔", ".", "cyan"),
    Status.LOCKED: ("◆", "#", "magenta"),
    Status.STALE: ("○", "?", "dim"),
    Status.MISMATCH: ("≠", "!", "red"),
    Status.UNREACHABLE: ("✗", "x", "red"),
}
_HEADS = ("Status", "Name", "Kind", "URL", "Found by", "Latency")
_GAP = 2
_NAME_AT_LEAST = 12


def render(snapshot: Snapshot, look: Look) -> str:
    """Return the table with its footer, at most ``look.width`` columns wide."""
    from rich.console import Console

    width = max(look.width, 40)
    console = Console(
        file=io.StringIO(),
        width=width,
        height=25,
        color_system="standard" if look.color else None,
        force_terminal=look.color,
        legacy_windows=False,
        highlight=False,
        _environ={},
    )
    with console.capture() as capture:
        console.print(renderable(snapshot, look, console))
    lines = capture.get().splitlines()
    return "\n".join(line.rstrip() for line in lines)


def renderable(snapshot: Snapshot, look: Look, console: Console) -> RenderableType:
    """Return the table as rich draws it, for a live display."""
    from rich.console import Group

    parts: list[RenderableType] = []
    if snapshot.services:
        rows = [_cells(service, look) for service in snapshot.services]
        widths = [max(len(cell) for cell in column) for column in zip(_HEADS, *rows, strict=True)]
        needed = sum(widths) + _GAP * (len(widths) - 1)
        parts.append(_wide(snapshot, rows, widths, look) if needed <= console.width else _tall(snapshot, rows, look))
    return Group(*parts, *_footer(snapshot, look))


def _cells(service: Service, look: Look) -> tuple[str, ...]:
    icon = _LOOKS[service.status][0 if look.unicode else 1]
    return (
        f"{icon} {service.status}",
        _shown(service.name, look),
        " ".join(part for part in (service.kind, service.version) if part),
        service.url,
        ", ".join(service.sources),
        latency(service.latency_ms),
    )


def latency(ms: float | None) -> str:
    """Return a latency with as many digits as mean something, or nothing."""
    if ms is None:
        return ""
    return f"{ms:.1f} ms" if ms < 9.95 else f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def _shown(text: str, look: Look) -> str:
    return text if look.unicode else text.encode("ascii", "replace").decode()


def _wide(snapshot: Snapshot, rows: list[tuple[str, ...]], widths: list[int], look: Look) -> RenderableType:
    """One row for each service, and what is wrong with it below."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    def line(cells: tuple[Text | str, ...], style: str = "") -> Text:
        text = Text(style=style, no_wrap=True, overflow="ellipsis")
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            room = " " * (width - len(cell))
            last = index == len(widths) - 1
            text.append_text(Text(room)) if last else None
            text.append_text(cell if isinstance(cell, Text) else Text(cell))
            text.append_text(Text("" if last else room + " " * _GAP))
        return text

    lines: list[RenderableType] = [line(_HEADS, "bold")]
    for service, cells in zip(snapshot.services, rows, strict=True):
        lines.append(line(_styled(service, cells)))
        if note := _note(service, look):
            lines.append(Padding(note, (0, 0, 0, widths[0] + _GAP)))
    return Group(*lines)


def _tall(snapshot: Snapshot, rows: list[tuple[str, ...]], look: Look) -> RenderableType:
    """Two rows for each service: status, name and URL, then the rest; and what is wrong with it."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, expand=False, header_style="bold")
    table.add_column(_HEADS[0], no_wrap=True)
    table.add_column(_HEADS[1], ratio=1, min_width=_NAME_AT_LEAST, overflow="ellipsis")
    table.add_column(_HEADS[3], overflow="fold")
    for service, cells in zip(snapshot.services, rows, strict=True):
        status, name, kind, url, sources, took = _styled(service, cells)
        dot = " · " if look.unicode else " - "
        rest = Text(dot.join(part for part in (kind.plain,) if part), style="dim", no_wrap=True, overflow="ellipsis")
        found = Text(dot.join(part for part in (sources.plain, took.plain) if part), style="dim")
        name.no_wrap, name.overflow = True, "ellipsis"
        table.add_row(status, name, url)
        table.add_row("", rest, found)
        if note := _note(service, look):
            table.add_row("", note, "")
    return Group(table)


def _styled(service: Service, cells: tuple[str, ...]) -> tuple[object, ...]:
    raise NotImplementedError
