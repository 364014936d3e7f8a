"""What a sidecar says of itself, for people: one line for each backend, and below it why it is not announced."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime

from rich.cells import cell_len, set_cell_size

from announcers.service.status import Backend, Report

_WIDTH = 80  # columns where none are known
_GAP = "  "
_NARROWEST_NAME = 12
_HEADS = ("STATE", "NAME", "KIND", "PORT")


def render(report: Report, width: int = _WIDTH) -> str:
    """Return the table with its head line."""
    lines = textwrap.wrap(_head(report), width)
    if report.fingerprint:
        lines += textwrap.wrap(f"Its key is {report.fingerprint}", width, break_on_hyphens=False)
    if report.problem:
        lines += textwrap.wrap(report.problem, width)
    if not report.backends:
        return "\n".join([*lines, "No backend was found on this machine yet." if report.running else ""]).rstrip()
    rows = [_cells(backend) for backend in report.backends]
    widths = [max(map(cell_len, column)) for column in zip(_HEADS, *rows, strict=True)]
    spare = width - sum(widths) - len(_GAP) * (len(widths) - 1)
    if spare < 0:
        widths[1] = max(_NARROWEST_NAME, widths[1] + spare)
    lines += ["", _line(_HEADS, widths)]
    for backend, cells in zip(report.backends, rows, strict=True):
        lines.append(_line(cells, widths))
        lines += _below(backend, widths[0], width)
    return "\n".join(lines)


def _head(report: Report) -> str:
    total = len(report.backends)
    if not report.running:
        return f"Not running: {report.file} is of version {report.version}, from {_moment(report.touched)}."
    where = f" on {', '.join(report.interfaces)}" if report.interfaces else ""
    process = f" (process {report.pid}, version {report.version})" if report.pid else ""
    return (
        f"Running on {report.host}{process} since {_moment(report.started)}: announces {report.announced} of {total} "
        f"backend{'' if total == 1 else 's'}{where}."
    )


def _cells(backend: Backend) -> tuple[str, ...]:
    state = f"{backend.state}, {backend.status}" if backend.status else backend.state
    return (state, backend.name, backend.kind, "" if backend.port is None else str(backend.port))


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return _GAP.join(_fitted(cell, width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _fitted(cell: str, width: int) -> str:
    return set_cell_size(cell, width) if cell_len(cell) <= width else f"{set_cell_size(cell, width - 1)}…"


def _below(backend: Backend, indent: int, width: int) -> list[str]:
    where = f"at {', '.join(backend.addresses)}" if backend.addresses else ""
    when = f"since {_moment(backend.since)}" if backend.since else ""
    notes = (backend.reason or "", " ".join(part for part in (where, when) if part))
    space = " " * indent + _GAP
    return [
        line
        for note in notes
        for line in textwrap.wrap(
            note, width, initial_indent=space, subsequent_indent=space, break_long_words=False, break_on_hyphens=False
        )
    ]


def _moment(moment: datetime | None) -> str:
    return "?" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
