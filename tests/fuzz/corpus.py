"""The files of a target's corpus: how they are read, made and kept small."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz import CORPUS

FILE_LIMIT, SIZE_LIMIT = 200, 300 * 1024  # files and octets that a target keeps, regressions not counted
REGRESSION = "regression-"


def files(target: str) -> list[Path]:
    """All inputs of a target."""
    return sorted(path for path in (CORPUS / target).glob("*") if path.is_file())


def plant(target: str, folder: Path) -> None:
    """Write the seeds of a target into a folder."""
    for name, octets in importlib.import_module(f"tests.fuzz.{target}").seeds():
        (folder / f"seed-{name}").write_bytes(octets)


def replace(target: str, found: Path) -> None:
    """Make a folder of inputs the corpus of a target: the smallest first, until there is no more room."""
    (CORPUS / target).mkdir(parents=True, exist_ok=True)
    for old in files(target):
        if not old.name.startswith(REGRESSION):
            old.unlink()
    for octets in _smallest(found):
        (CORPUS / target / hashlib.sha1(octets, usedforsecurity=False).hexdigest()).write_bytes(octets)


def _smallest(found: Path) -> Iterator[bytes]:
    room = SIZE_LIMIT
    for path in sorted(found.iterdir(), key=lambda path: (path.stat().st_size, path.name))[:FILE_LIMIT]:
        room -= path.stat().st_size
        if room < 0:
            return
        yield path.read_bytes()


def dictionary(target: str) -> str:
    """The words of a target as libFuzzer reads them."""
    words = importlib.import_module(f"tests.fuzz.{target}").WORDS
    return "".join('"' + "".join(f"\\x{octet:02x}" for octet in word) + '"\n' for word in words)
