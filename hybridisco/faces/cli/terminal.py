"""What the terminal can show, and the one line of progress on stderr."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from hybridisco.formats import Look

_PIPE_WIDTH = 400  # columns where no terminal sets a limit: one service a line, for grep
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_SPINNER_ASCII = "|/-\\"
_FRAME_S = 0.1
_SPINNER_AFTER_S = 0.2  # a search that ends sooner needs no progress line


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at ``stream``."""
    return stream is not None and not stream.closed and stream.isatty()


def shows_unicode(stream: TextIO | None) -> bool:
    """Whether ``stream`` takes more than ASCII."""
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "").startswith("utf")


def look() -> Look:
    """Return what stdout is like. Colours only on a terminal, and not against NO_COLOR (https://no-color.org)."""
    terminal = is_terminal(sys.stdout)
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    width = shutil.get_terminal_size().columns if terminal or os.environ.get("COLUMNS") else _PIPE_WIDTH
    return Look(width=width, color=terminal and not plain, unicode=shows_unicode(sys.stdout))


class Progress:
    """A line on stderr that says what is being done, while a person looks; it leaves no trace.

    ``async with Progress(words)``: ``words`` is asked at every frame.
    """

    def __init__(self, words: Callable[[], str], *, wanted: bool = True) -> None:
        self._words = words
        self._wanted = wanted and is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"
        self._task: asyncio.Task[None] | None = None
        self._drawn = 0

    async def __aenter__(self) -> Progress:
        if self._wanted:
            self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._draw("")

    async def _run(self) -> None:
        await asyncio.sleep(_SPINNER_AFTER_S)
        frames = _SPINNER if shows_unicode(sys.stderr) else _SPINNER_ASCII
        number = 0
        while True:
            self._draw(f"{frames[number % len(frames)]} {self._words()}")
            number += 1
            await asyncio.sleep(_FRAME_S)

    def _draw(self, text: str) -> None:
        """Write over the line before. Spaces erase it: not every terminal knows escape sequences."""
        if not text and not self._drawn:
            return
        text = text[: shutil.get_terminal_size().columns - 1]
        sys.stderr.write("\r" + text.ljust(self._drawn) + ("" if text else "\r"))
        sys.stderr.flush()
        self._drawn = len(text)
