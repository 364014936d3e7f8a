"""Translatable text. What Blender shows goes through :func:`say`; the Blender side says how to translate.

The sentences of the library (``Service.problem``, errors of the settings) are English.
"""

from __future__ import annotations

from collections.abc import Callable


def _as_it_is(text: str) -> str:
    return text


_translate: Callable[[str], str] = _as_it_is


def use(translate: Callable[[str], str] | None) -> None:
    """Translate by ``translate`` from now on; None for English."""
    global _translate
    _translate = translate or _as_it_is


def say(text: str, /, **values: object) -> str:
    """Return ``text`` in the user's language with ``values`` put in.

    >>> say("{number} found", number=3)
    '3 found'
    """
    translated = _translate(text)
    try:
        return translated.format(**values) if values else translated
    except (KeyError, IndexError, ValueError):  # a translation with a slip in it
        return text.format(**values)
