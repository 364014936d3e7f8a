"""Keys for people: which one a word on the command line means, and the table of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from hybridisco.core.errors import UsageError
from hybridisco.core.trust import OFF, PINNED_ONLY
from hybridisco.formats import Look
from hybridisco.trust.change import announced_id
from hybridisco.trust.lines import Known, fingerprint, written_time

_GAP = "  "
_NAMELESS = "-"
_TOLD = 5  # refused services that a list names: on a hostile LAN there may be hundreds

UNCHECKED = (
    "Signatures cannot be checked here, and no key is remembered: the Python package cryptography is missing. Install "
    "it with `pip install cryptography`."
)


def meant(word: str, entries: Iterable[Known]) -> str | None:
    """Return the id that ``word`` means: an id, the name of a service, or the beginning of one id. None: nothing.

    Of an id as `list --ids` shows that of an untrusted service, the place after the ``~`` is left away.

    :raises UsageError: it may mean several; all are named.
    """
    names = {entry.id: entry.name for entry in entries}
    for whole in (word, announced_id(word)):
        if whole in names:
            return whole
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


def mark(entry: Known) -> str:
    """Return what people compare of a key, and since when it is known or was seen."""
    return f"{fingerprint(entry.key)}  seen since {day(entry.since)}"


def why_none(mode: str) -> str:
    """Return what to say where no key is known. ``mode`` is the setting ``trust.mode``."""
    if mode == PINNED_ONLY:
        return (
            'No key is accepted yet, and trust.mode is "pinned": nothing that is announced is trusted. Run `hybridisco '
            "trust import` with your studio's keys, or `hybridisco list` and then `hybridisco trust accept ID`."
        )
    if mode == OFF:
        return 'No key is known, and trust.mode is "off": signatures are not looked at, and no key is remembered.'
    return (
        "No key is known yet. A sidecar that signs its announcements is remembered when `hybridisco list` first finds "
        "it."
    )


def nothing_refused(word: str, service_id: str | None, name: str) -> str:
    """Return why there is nothing to accept. ``service_id`` is what ``word`` means, None for nothing that is known."""
    if service_id is None:
        what, how, or_else = f"Nothing that is called {ascii(word)[:80]} was", "not signed", ""
    else:
        what, how = f"No other key of {shown_as(service_id, name)} was", "no longer signed"
        or_else = f", or, if it is to stay unsigned, run `hybridisco trust remove {service_id}`"
    return (
        f"{what} refused lately. Run `hybridisco list` first. If it says that it is {how}, there is no key to accept: "
        "its sidecar probably runs without the Python package cryptography. Install it on that machine (`pip install "
        f"cryptography`) and restart the sidecar{or_else}. A key that you know can be given with --key."
    )


def refused_lines(refused: Iterable[Known], known: Collection[str]) -> list[str]:
    """Return what to say of keys that were refused, the newest first. ``known`` are the ids that have a key."""
    of: dict[str, list[Known]] = {}
    for entry in reversed(tuple(refused)):
        of.setdefault(entry.id, []).append(entry)
    lines = []
    for service_id, entries in list(of.items())[:_TOLD]:
        number = "a key" if len(entries) == 1 else f"{len(entries)} keys"
        why = "not the known one" if service_id in known else "not among the accepted"
        marks = "".join(f"\n  {mark(entry)}" for entry in entries)
        lines.append(
            f"Refused: {number} of {shown_as(service_id, entries[0].name)}, {why}:{marks}\n"
            f"If you know why: hybridisco trust accept {service_id}"
        )
    if len(of) > _TOLD:
        lines.append(f"… and keys of {len(of) - _TOLD} more, which --json shows.")
    return lines


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
