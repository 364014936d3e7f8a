"""One TOML table, taken apart strictly: every key is asked for once, and what nobody asked for is an error."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from hybridisco.config.text import KeyPath, dotted, key_path, line_of
from hybridisco.core.errors import ConfigError, HybridiscoError

T = TypeVar("T")

_LIST_LIMIT = 1024  # entries of one list; more is a mistake, and would take hours to probe


def closest(word: str, allowed: tuple[str, ...]) -> str | None:
    """Return the allowed word that may have been meant, or None if none is close."""
    return next(iter(difflib.get_close_matches(word.casefold(), allowed, n=1, cutoff=0.6)), None)


def did_you_mean(word: str, allowed: tuple[str, ...]) -> str:
    """Return "Did you mean …?" with a space before it, or nothing if no allowed word is close."""
    close = closest(word, allowed)
    return f" Did you mean {close}?" if close else ""


class Table:
    """A table of the user's file, with what is needed to say where something in it is wrong.

    :param values: what the table holds.
    :param path: the table's own name.
    :param file: where it stands, if it stands in a file.
    :param text: the whole file, for line numbers.
    """

    def __init__(self, values: dict[str, Any], path: KeyPath, file: Path | None, text: str) -> None:
        self._values, self._path, self._file, self._text = dict(values), path, file, text
        self._known: list[str] = []

    def fail(self, message: str, *key: str | int) -> NoReturn:
        """Raise a :class:`ConfigError` about ``key`` of this table (about the table itself without one)."""
        path = self._path + key
        line = line_of(self._text, path)
        raise ConfigError(message, file=self._file, key=dotted(path) or None, line=line)

    def guarded(self, make: Callable[[], T], *key: str | int) -> T:
        """Return ``make()``; what it raises about the user's value becomes an error about ``key``."""
        try:
            return make()
        except ConfigError as error:
            if error.file is not None:  # it has its whole place already
                raise
            if error.key is None:
                self.fail(str(error), *key)
            message = str(error).removeprefix(f"{error.key}: ")
            Table({}, key_path(error.key), self._file, self._text).fail(message)
        except (HybridiscoError, ValueError, TypeError) as error:
            self.fail(str(error), *key)

    def raw(self, key: str) -> Any:
        """Return a value as it is, or None if the key is absent."""
        self._known.append(key)
        return self._values.pop(key, None)

    def table(self, key: str) -> Table:
        """Return the table ``key``; an empty one if it is absent."""
        value = self.raw(key)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            self.fail(f"{_shown(value)} is not a table. Write [{dotted((*self._path, key))}] and its keys below.", key)
        return Table(value, (*self._path, key), self._file, self._text)

    def tables(self, key: str) -> tuple[Table, ...]:
        """Return the entries of the array of tables ``key``."""
        value = self.raw(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fail(f"This is not a list of tables. Write [[{dotted((*self._path, key))}]] above each entry.", key)
        if len(value) > _LIST_LIMIT:
            self.fail(f"It has {len(value)} entries; {_LIST_LIMIT} are allowed.", key)
        return tuple(Table(item, (*self._path, key, i), self._file, self._text) for i, item in enumerate(value))

    def items(self) -> tuple[tuple[str, Any], ...]:
        """Return all keys that nobody asked for yet, with their values; they count as known."""
        rest = tuple(self._values.items())
        self._values.clear()
        return rest

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """Return a number of seconds within bounds."""
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            self.fail(
                f"{_shown(value)} is not allowed. Write seconds from {low:g} to {high:g}, such as {default:g}.", key
            )
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fail(f"{_shown(value)} is not allowed. Write true or false.", key)
        return value

    def string(self, key: str) -> str | None:
        """Return a string, or None if the key is absent."""
        value = self.raw(key)
        if value is not None and not isinstance(value, str):
            self.fail(f"{_shown(value)} is not a string. Write it in quotes.", key)
        return value

    def each(self, key: str, convert: Callable[[Any], T]) -> tuple[T, ...] | None:
        """Return the entries of a list, each converted and without repetitions; None if the key is absent.

        ``convert`` raises ValueError or a HybridiscoError with a message for the user.
        """
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, list):
            self.fail(f"{_shown(value)} is not a list. Write it in brackets: [{_shown(value)}].", key)
        if len(value) > _LIST_LIMIT:
            self.fail(f"It has {len(value)} entries; {_LIST_LIMIT} are allowed.", key)
        return self.guarded(lambda: tuple(dict.fromkeys(convert(item) for item in value)), key)

    def done(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self._values:
            known = tuple(dict.fromkeys(self._known))
            allowed = ", ".join(known) if known else "none"
            what = "table" if isinstance(self._values[key], dict) else "key"
            self.fail(f"There is no such {what}.{did_you_mean(key, known)} Allowed here: {allowed}.", key)


def _shown(value: object) -> str:
    """Return a value for a message: as TOML writes it, short and on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    shown = ascii(value) if not isinstance(value, str) else '"' + ascii(value)[1:-1] + '"'
    return shown if len(shown) <= 60 else shown[:59] + "…"
