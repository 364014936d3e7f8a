"""Keys for people: which one a word on the command line means, and the table of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from hybridisco.core.errors import UsageError
from hybridisco.formats import Look
from hybridisco.trust.lines import Known, fingerprint, written_time

_GAP = "  "
_NAMELESS = "-"


def meant(word: str, entries: Iterable[Known]) -> str | None:
    """Return the id that ``word`` means: an id, the name of a service, or the beginning of one id. None: nothing.

    :raises UsageError: it may mean several; all are named.
    """
    names = {entry.id: entry.name for entry in entries}
    if word in names:
        return word
    wanted = word.strip().casefold()
    found = [service_id for service_id, name in names.items() if name and name.casefold() == wanted]
    found = found or [service_id for service_id in names if wanted and service_id.casefold().startswith(wanted)]
    if len(found) > 1:
        shown = ", ".join(shown_as(service_id, names[service_id]) for service_id in found[:8])
        more = f" and {len(found) - 8} more" if len(found) > 8 else ""
        raise UsageError(f"{ascii(word)[:80]} may mean {shown}{more}. Write more of the id.")
    return found[0] if found else None


def shown_as(service_id: str, name: str) -> str:
    """Return what a service is called in a sentence."""
    return f"{name} ({service_id})" if name else service_id


def day(since: float) -> str:
    """Return the day of a time, where people are."""
    return datetime.fromtimestamp(since, UTC).astimezone().strftime("%Y-%m-%d")


def document(known: Iterable[Known], refused: Iterable[Known]) -> dict[str, Any]:
    """Return keys as plain data, for ``--json``."""
    return {"schema": 1, "keys": [_plain(entry) for entry in known], "refused": [_plain(entry) for entry in refused]}


def _plain(entry: Known) -> dict[str, str]:
    return {
        "id": entry.id,
        "name": entry.name,
        "type": "ed25519",
        "key": entry.key,
        "fingerprint": fingerprint(entry.key),
        "since": written_time(entry.since),
    }


def by_name(entries: Iterable[Known]) -> list[Known]:
    """Return keys in the order of lists: nameless ones last."""
    return sorted(entries, key=lambda entry: (not entry.name, entry.name.casefold(), entry.id))


def table(entries: Iterable[Known], look: Look) -> str:
    """Return the table of keys: one line each, or two where that is too wide. Ids and fingerprints are never cut."""
    rows = [(_name(entry, look), entry.id, fingerprint(entry.key), day(entry.since)) for entry in entries]
    heads = ("NAME", "ID", "FINGERPRINT", "SINCE")
    widths = [max(map(_cells, column)) for column in zip(heads, *rows, strict=True)]
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= look.width:
        lines = [_styled(_line(heads, widths), look, dim=True)]
        for name, *rest in rows:
            lines.append(_styled(_fitted(name, widths[0]), look, bold=True) + _GAP + _line(rest, widths[1:]))
        return "\n".join(lines)
    # The day ends where the fingerprints below it do.
    room = min(look.width, len(_GAP) * 2 + widths[1] + widths[2]) - widths[3] - len(_GAP)
    lines = [_styled(_line(heads[::3], (room, widths[3])), look, dim=True)]
    for name, service_id, mark, since in rows:
        lines.append(_styled(_fitted(name, room), look, bold=True) + _GAP + since)
        lines.append(_styled(_GAP + _line((service_id, mark), widths[1:3]), look, dim=True))
    return "\n".join(lines)


def _name(entry: Known, look: Look) -> str:
    name = entry.name or _NAMELESS
    return name if look.unicode else name.encode("ascii", "replace").decode()


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(_fitted(cell, width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _fitted(text: str, width: int) -> str:
    """Return a text cut or filled to its columns."""
    from rich.cells import set_cell_size

    return set_cell_size(text, width) if _cells(text) <= width else set_cell_size(text, width - 3) + "..."


def _cells(text: str) -> int:
    """Return the columns that a text takes: a CJK character takes two."""
    from rich.cells import cell_len

    return cell_len(text)


def _styled(text: str, look: Look, **style: bool) -> str:
    return click.style(text, **style) if look.color else text
