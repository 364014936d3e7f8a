"""The report for people: the diagnosis first, then what was looked at. Readable without colour, in 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from hybridisco.doctor.report import Cause, Check, Report, Result
from hybridisco.formats import Look

# Result: icon, its ASCII stand-in, the number of its colour (ECMA-48).
_ICONS: dict[Result, tuple[str, str, int]] = {
    Result.OK: ("✓", "+", 32),
    Result.WARNING: ("!", "!", 33),
    Result.PROBLEM: ("✗", "x", 31),
    Result.UNKNOWN: ("?", "?", 35),
    Result.SKIPPED: ("–", "-", 2),
}
_BOLD, _DIM = 1, 2
_WIDEST = 100  # longer lines are tiring to read
_NARROWEST = 40
_ROOMY = 60  # columns that leave room for evidence beside the titles
_INDENT = "    "
_DEEP = _INDENT + " " * len("To do: ")
_SEEN = 3  # lines of evidence that are shown with a cause; all of them stand below
_PLAIN = {"›": ">", "→": "->", "…": "...", "–": "-"}


def render(report: Report, look: Look) -> str:
    """Return the report."""
    lines = [*_diagnosis(report, look), "", *_checks(report, look)]
    return "\n".join(line.rstrip() for line in lines)


def _diagnosis(report: Report, look: Look) -> Iterator[str]:
    if not report.causes:
        unknown = sum(check.result is Result.UNKNOWN for check in report.checks)
        but = f" {unknown} of {len(report.checks)} things could not be looked at." if unknown else ""
        yield _styled(f"Nothing wrong was found.{but}", _BOLD, look)
        return
    yield _styled("What is probably wrong, likeliest first:", _BOLD, look)
    for number, cause in enumerate(report.causes, 1):
        yield ""
        yield from _cause(number, cause, look)


def _cause(number: int, cause: Cause, look: Look) -> Iterator[str]:
    for line in _wrapped(f"{number:2}. {cause.title} ({cause.likelihood})", "", _INDENT, look):
        yield _styled(line, _BOLD, look)
    yield from _wrapped(cause.why, _INDENT, _INDENT, look)
    if len(cause.about) > 1:
        yield from _wrapped(f"So it is with {', '.join(cause.about)}.", _INDENT, _INDENT, look)
    head = f"{_INDENT}Seen:  "
    for line in cause.evidence[:_SEEN]:
        yield from _wrapped(line, head, _DEEP, look)
        head = _DEEP
    if cause.fix:
        yield from _wrapped(f"To do: {cause.fix}", _INDENT, _DEEP, look)


def _checks(report: Report, look: Look) -> Iterator[str]:
    yield _styled("What was looked at:", _BOLD, look)
    longest = max((len(check.title) for check in report.checks), default=0)
    width = min(longest, 26) if look.width >= _ROOMY else 0  # of the column of titles
    for check in report.checks:
        yield from _check(check, width, look)


def _check(check: Check, width: int, look: Look) -> Iterator[str]:
    icon, plain, color = _ICONS[check.result]
    mark = _styled(icon if look.unicode else plain, color, look)
    title = _shown(check.title, look)
    hanging = " " * (width + 5)
    lines = [line for text in check.evidence for line in _wrapped(text, hanging, hanging + "  ", look)]
    if check.result is Result.UNKNOWN and check.fix:
        lines += _wrapped(check.fix, hanging, hanging, look)
    if len(title) > width or not lines:
        yield f" {mark} {title}"
    else:
        yield f" {mark} {title:{width}}  {lines.pop(0).lstrip()}"
    for line in lines:
        yield _styled(line, _DIM, look)


def _wrapped(text: str, first: str, then: str, look: Look) -> list[str]:
    """Return ``text`` in lines; a URL or a rule's word is not broken, even if it sticks out."""
    return textwrap.wrap(
        _shown(text, look),
        max(min(look.width, _WIDEST), _NARROWEST),
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _styled(text: str, code: int, look: Look) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if look.color and text else text


def _shown(text: str, look: Look) -> str:
    if look.unicode:
        return text
    for letter, plain in _PLAIN.items():
        text = text.replace(letter, plain)
    return text.encode("ascii", "replace").decode()
