"""From a path to TOML: where the files are, reading them within bounds, and on which line a key stands."""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path
from typing import Any

from hybridisco.core.errors import ConfigError

SIZE_LIMIT = 1024 * 1024  # octets; a file with a thousand services has 60 KiB
_DEPTH_LIMIT = 32  # tables and lists in one another; our deepest key has five

_NAME = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
_NAMES = re.compile(_NAME)
_LONG_KEY = re.compile(rf"{_NAME}(?:[ \t]*\.[ \t]*{_NAME}){{63}}")  # tomllib takes the square of a key's parts in time
_SYNTAX_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")

#: A key with its tables: ``("services", 1, "url")`` is the ``url`` of the second ``[[services]]``.
KeyPath = tuple[str | int, ...]


def config_file() -> Path:
    """Return where the user's file is, or would be. :raises ConfigError: the user has no home folder."""
    named = os.environ.get("HYBRIDISCO_CONFIG")
    if named:
        return _expand(named)
    import platformdirs

    try:
        return platformdirs.user_config_path("hybridisco", appauthor=False) / "config.toml"
    except RuntimeError as error:
        raise _homeless("HYBRIDISCO_CONFIG", "path of a config file") from error


def state_folder() -> Path:
    """Return the folder of sidecar ids and last-known services. It need not exist yet.

    :raises ConfigError: the user has no home folder.
    """
    named = os.environ.get("HYBRIDISCO_STATE")
    if named:
        return _expand(named)
    try:
        try:
            import platformdirs
        except ImportError:  # inside Blender
            return _state_folder()
        return platformdirs.user_state_path("hybridisco", appauthor=False)
    except RuntimeError as error:
        raise _homeless("HYBRIDISCO_STATE", "path of a folder to keep ids in") from error


def _state_folder() -> Path:
    """Return the folder that platformdirs would: all programs of a user are to know the same keys.

    :raises RuntimeError: the user has no home folder.
    """
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "hybridisco"
    named = os.environ.get("XDG_STATE_HOME", "")
    if named.startswith("/"):  # a relative one counts as none (XDG Base Directory Specification)
        return Path(named) / "hybridisco"
    return _home() / ("Library/Application Support" if sys.platform == "darwin" else ".local/state") / "hybridisco"


def _home() -> Path:
    """Return the user's home folder; a HOME that is relative or empty counts as none."""
    if sys.platform != "win32" and not os.environ.get("HOME", "/").startswith("/"):
        import pwd

        try:
            return Path(pwd.getpwuid(os.getuid()).pw_dir)
        except KeyError as error:
            raise RuntimeError("This user is unknown.") from error
    return Path.home()


def _homeless(variable: str, what: str) -> ConfigError:
    return ConfigError(f"This user has no home folder (HOME is not set). Set {variable} to the {what}, or set HOME.")


def _expand(named: str) -> Path:
    try:
        return Path(named).expanduser()
    except RuntimeError:  # ~somebody who does not exist
        return Path(named)


def read(file: Path) -> str | None:
    """Return the text of ``file``, or None if there is none.

    :raises ConfigError: it is no file, or too large, or not UTF-8, or cannot be read.
    """
    try:
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ConfigError("This is a folder; a file is wanted. Add the file's name: config.toml.", file=file)
        if not stat.S_ISREG(mode) and file != Path(os.devnull):  # reading a pipe could wait for ever
            raise ConfigError("This is not a regular file. Give the path of a TOML file.", file=file)
        with file.open("rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(f"It cannot be read ({reason}). Check its path and its permissions.", file=file) from error
    if len(data) > SIZE_LIMIT:
        raise ConfigError(
            f"It has more than {SIZE_LIMIT} bytes, so it is probably not a config file. Check the path.", file=file
        )
    try:
        return data.decode("utf-8-sig")  # Windows editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("It is not UTF-8. Save it as UTF-8 in your editor.", file=file, line=line) from error


def parse(text: str, file: Path) -> dict[str, Any]:
    """Return what ``text`` says. :raises ConfigError: it is not TOML."""
    if not text:
        return {}  # most users have no file: spare them the import
    import tomllib

    try:
        if _LONG_KEY.search(text):
            raise RecursionError
        values = tomllib.loads(text)
        if _is_deep(values):  # dotted keys nest without recursion: it would come when a message shows the value
            raise RecursionError
    except RecursionError as error:
        raise ConfigError("It is nested too deeply to be a config file.", file=file) from error
    except ValueError as error:  # TOMLDecodeError, and an integer of over 4300 digits
        message = str(error)
        place = _SYNTAX_PLACE.search(message)
        line = int(place[1]) if place and place[1] else None
        if place and line is None:
            line = text.rstrip("\n").count("\n") + 1
        what = _SYNTAX_PLACE.sub("", message).rstrip(".")
        raise ConfigError(
            f"This is not TOML: {what}. Correct the line, or see https://toml.io.", file=file, line=line
        ) from error
    return values


def _is_deep(values: dict[str, Any]) -> bool:
    level: list[Any] = [values]
    for _ in range(_DEPTH_LIMIT):
        inner = [item for each in level for item in (each.values() if isinstance(each, dict) else each)]
        level = [item for item in inner if isinstance(item, dict | list)]
    return bool(level)


def line_of(text: str, path: KeyPath) -> int | None:
    """Return the line on which ``path`` stands, or the nearest table above it (None for the whole file).

    It looks at lines, not at TOML's grammar: a key inside a multi-line string could deceive it, but then only
    the number in a message is wrong.
    """
    best: tuple[int, int | None] = (0, None)
    table: KeyPath = ()
    counts: dict[KeyPath, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        header = _HEADER.match(line)
        key = None if header else _KEY.match(line)
        if header:
            table = _indexed(_names(header[2]), counts, is_new_item=header[1] == "[[")
            here = table
        elif key:
            here = table + _names(key[1])
        else:
            continue
        shared = _shared(here, path)
        if shared > best[0] and shared == min(len(here), len(path)):
            best = (shared, number)
    return best[1]


def _names(dotted: str) -> KeyPath:
    return tuple(name.strip("\"'") for name in _NAMES.findall(dotted))


def _indexed(names: KeyPath, counts: dict[KeyPath, int], *, is_new_item: bool) -> KeyPath:
    """Return a header's names with the index of the current item after each array of tables."""
    if is_new_item:
        counts[names] = counts.get(names, -1) + 1
    path: KeyPath = ()
    for end in range(1, len(names) + 1):
        path += (names[end - 1],)
        if names[:end] in counts:
            path += (counts[names[:end]],)
    return path


def _shared(one: KeyPath, other: KeyPath) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def dotted(path: KeyPath) -> str:
    """Return a key for people: ``services[2].url`` is that of the second entry."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part + 1}]"
        else:
            name = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else ascii(part)
            shown += f".{name}" if shown else name
    return shown


def key_path(shown: str) -> KeyPath:
    """Return the path of a key as the makers of kinds name it: ``kinds.mine.proofs[0].path``, counted from 0."""
    parts = re.findall(r"\[(\d+)\]|([^.\[\]]+)", shown)
    return tuple(int(index) if index else name for index, name in parts)
