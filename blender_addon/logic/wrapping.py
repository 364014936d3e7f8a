"""Sentences in a narrow column, whose width is measured in pixels of the font at hand."""

from __future__ import annotations

from collections.abc import Callable

#: Tells how wide a text is drawn.
Measure = Callable[[str], float]

_LINES = 24  # of one text: what is longer is cut; no text of ours is

# Where a long URL or path may be broken: after one of these.
_BREAKS = frozenset("/:?&=.-_,@")


def wrapped(text: str, width: float, measure: Measure) -> list[str]:
    """Return ``text`` in lines of at most ``width``; a word that is wider is broken, a URL where it reads best.

    At least one character stands on a line, however narrow the column.
    """
    lines: list[str] = []
    line = ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if measure(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, width, measure)
        lines += full
    if line:
        lines.append(line)
    return lines if len(lines) <= _LINES else [*lines[: _LINES - 1], lines[_LINES - 1].rstrip(" .…") + "…"]


def _pieces(word: str, width: float, measure: Measure) -> list[str]:
    """Return a word in parts that fit."""
    parts: list[str] = []
    while word and measure(word) > width:
        fits = _fitting(word, width, measure)
        cut = next((end for end in range(fits, fits // 2, -1) if word[end - 1] in _BREAKS), fits)
        parts.append(word[:cut])
        word = word[cut:]
    return [*parts, word] if word or not parts else parts


def _fitting(word: str, width: float, measure: Measure) -> int:
    """Return how many characters of ``word`` fit, one at least."""
    low, high = 1, len(word)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(word[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    return low
