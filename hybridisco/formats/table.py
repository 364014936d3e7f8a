"""The table for people. The only format that needs rich, which is imported only to draw.

Two shapes. Where everything fits, a service is one row. Where it does not (80 columns, long IPv6 URLs), it is
two: what people look for first, then the rest in a dim line. A URL is never cut: it is there to be copied.
"""

from __future__ import annotations

import io
import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybridisco.core.duration import latency
from hybridisco.core.model import UNKNOWN_KIND, Service, Snapshot, SourceName, Status, Trust
from hybridisco.formats import Look

if TYPE_CHECKING:
    from rich.text import Text

# Status: icon, its ASCII stand-in, style.
_STATUS: dict[Status, tuple[str, str, str]] = {
    Status.ONLINE: ("●", "+", "green"),
    Status.BUSY: ("◐", "~", "yellow"),
    Status.STARTING: ("◔", ".", "cyan"),
    Status.LOCKED: ("◆", "#", "magenta"),
    Status.STALE: ("○", "?", "dim"),
    Status.MISMATCH: ("≠", "!", "red"),
    Status.UNREACHABLE: ("✗", "x", "red"),
    Status.UNTRUSTED: ("‼", "!", "bold red"),
}
_HEADS = ("STATUS", "NAME", "KIND", "URL", "FOUND BY", "LATENCY")
_ID_HEAD = "ID"  # before the last, where ids are asked for
_GAP = "  "
_NAME_AT_LEAST = 20  # columns; a URL that leaves less to the name stands in a line of its own
_NARROWEST = 40


@dataclass(frozen=True, slots=True)
class _Row:
    """One service, in the words of the table."""

    status: Text
    name: Text
    kind: Text
    url: Text
    sources: Text
    latency: Text
    note: str | None
    id: Text | None

    @property
    def cells(self) -> tuple[Text, ...]:
        ids = () if self.id is None else (self.id,)
        return (self.status, self.name, self.kind, self.url, self.sources, *ids, self.latency)


def render(snapshot: Snapshot, look: Look) -> str:
    """Return the table with its footer; nothing where there is no service."""
    shown = lines(snapshot, look)
    if not look.color:  # rich's console takes 10 ms to import
        return "\n".join(line.plain.rstrip() for line in shown)
    from rich.console import Console

    console = Console(
        file=io.StringIO(),
        width=max(look.width, _NARROWEST),
        color_system="standard",
        force_terminal=True,
        legacy_windows=False,
        highlight=False,
        _environ={},
    )
    with console.capture() as capture:
        for line in shown:
            console.print(line, soft_wrap=True)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def lines(snapshot: Snapshot, look: Look, *, footer: bool = True) -> list[Text]:
    """Return the lines of the table, for :func:`render` and for a live display (which has its own footer)."""
    if not snapshot.services:
        return []
    rows = [_row(service, look) for service in snapshot.services]
    heads = (*_HEADS[:-1], _ID_HEAD, _HEADS[-1]) if look.ids else _HEADS
    widths = _widths(heads, rows)
    width = max(look.width, _NARROWEST)
    wide = sum(widths) + len(_GAP) * (len(widths) - 1) <= width
    body = _wide(heads, rows, widths, width) if wide else _tall(rows, widths, width, look)
    return [*body, *(_footer(snapshot, look, width) if footer else [])]


def _row(service: Service, look: Look) -> _Row:
    from rich.text import Text

    icon, plain_icon, style = _STATUS[service.status]
    kind = "?" if service.kind == UNKNOWN_KIND else service.kind  # "http" would be no news beside a URL
    bad = service.status not in (Status.ONLINE, Status.BUSY)
    return _Row(
        status=Text(f"{icon if look.unicode else plain_icon} {service.status}", style),
        name=Text(_shown(service.name, look), "dim" if service.status is Status.STALE else "bold"),
        kind=Text(_shown(" ".join(part for part in (kind, service.version) if part), look)),
        url=Text(service.url, "dim" if bad else "cyan"),
        sources=Text(", ".join(_source(service, name, look) for name in service.sources), "dim"),
        latency=Text(latency(service.latency_ms), "dim"),
        note=_shown(service.problem, look) if service.problem else None,
        id=Text(service.id, "dim") if look.ids else None,
    )


def _source(service: Service, name: SourceName, look: Look) -> str:
    """Return by what it was found: nobody can tell an announcement without a checked signature from a forged one."""
    doubtful = service.trust is Trust.UNSIGNED or (look.checking and service.trust is Trust.UNCHECKED)
    return f"{name} ({service.trust})" if name is SourceName.MDNS and doubtful else str(name)


def _shown(text: str, look: Look) -> str:
    return text if look.unicode else text.encode("ascii", "replace").decode()


def _widths(heads: tuple[str, ...], rows: list[_Row]) -> tuple[int, ...]:
    """Return the columns that each cell needs (a CJK character takes two)."""
    columns = zip(*(row.cells for row in rows), strict=True)
    return tuple(
        max(len(head), *(cell.cell_len for cell in column)) for head, column in zip(heads, columns, strict=True)
    )


def _line(cells: tuple[Text, ...], widths: tuple[int, ...], *, last_to_the_right: bool = False) -> Text:
    """Return cells side by side, each cut or filled to its width."""
    from rich.text import Text

    line = Text()
    for number, (cell, width) in enumerate(zip(cells, widths, strict=True), 1):
        fitted = cell.copy()
        fitted.truncate(width, overflow="ellipsis")
        room = " " * (width - fitted.cell_len)
        if number < len(cells):
            line.append_text(fitted).append(room + _GAP)
        else:
            line.append(room if last_to_the_right else "").append_text(fitted)
    return line


def _head(names: tuple[str, ...], widths: tuple[int, ...], *, last_to_the_right: bool = False) -> Text:
    from rich.text import Text

    return _line(tuple(Text(name, "dim") for name in names), widths, last_to_the_right=last_to_the_right)


def _wide(heads: tuple[str, ...], rows: list[_Row], widths: tuple[int, ...], width: int) -> list[Text]:
    """One line for each service."""
    out = [_head(heads, widths, last_to_the_right=True)]
    for row in rows:
        out.append(_line(row.cells, widths, last_to_the_right=True))
        out += _indented(row.note, widths[0], width)
    return out


def _tall(rows: list[_Row], widths: tuple[int, ...], width: int, look: Look) -> list[Text]:
    """Two lines for each service, three where its URL is long."""
    from rich.text import Text

    status_width, room = widths[0], width - widths[0] - len(_GAP)
    url_limit = room - _NAME_AT_LEAST - len(_GAP)
    url_width = max([len(_HEADS[3]), *(row.url.cell_len for row in rows if row.url.cell_len <= url_limit)])
    name_width = min(widths[1], room - url_width - len(_GAP))
    columns = (status_width, name_width, url_width)
    indent = " " * status_width + _GAP
    dot = " · " if look.unicode else " - "
    out = [_head((_HEADS[0], _HEADS[1], _HEADS[3]), columns)]
    for row in rows:
        if row.url.cell_len <= url_width:
            out.append(_line((row.status, row.name, row.url), columns))
        else:
            out.append(_line((row.status, row.name), (status_width, room)))
            out.append(Text(indent).append_text(row.url))
        rest = dot.join(cell.plain for cell in (row.kind, row.sources, row.latency) if cell)
        out.append(_line((Text(" " * status_width), Text(rest, "dim")), (status_width, room)))
        if row.id is not None:  # never cut either: it is there to be copied, too
            out.append(Text(indent).append_text(row.id))
        out += _indented(row.note, status_width, width)
    return out


def _indented(note: str | None, indent: int, width: int) -> list[Text]:
    """Return what is wrong with a service, below it."""
    room = min(width - indent - len(_GAP), 100)  # longer lines are tiring to read
    return _wrapped(note or "", room, " " * indent + _GAP, "italic dim")


def _wrapped(text: str, width: int, indent: str, style: str) -> list[Text]:
    """Return ``text`` in lines; a URL is not broken, even if it sticks out."""
    from rich.text import Text

    parts = textwrap.wrap(text, max(width, 20), break_long_words=False, break_on_hyphens=False)
    return [Text(indent).append(part, style) for part in parts]


def _footer(snapshot: Snapshot, look: Look, width: int) -> list[Text]:
    """Return how many there are, and what is to be known about the search."""
    from rich.text import Text

    dot = " · " if look.unicode else " - "
    counts = Counter(service.status for service in snapshot.services)
    number = len(snapshot.services)
    said = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    count = f"{number} service{'' if number == 1 else 's'}: {said}{dot}{latency(snapshot.elapsed_s * 1000)}"
    out = [Text(), *_wrapped(count, width, "", "dim")]
    if not snapshot.complete:
        out += _wrapped(
            "The search ended before all answers had come; --timeout gives it more time.", width, "", "yellow"
        )
    for name, state in snapshot.sources:
        if state.state in ("error", "partial"):
            out += _wrapped(f"{name}: {_shown(state.detail or 'failed', look)}", width, "", "yellow")
    for warning in snapshot.warnings:
        out += _wrapped(f"Warning: {_shown(warning, look)}", width, "", "yellow")
    return out
