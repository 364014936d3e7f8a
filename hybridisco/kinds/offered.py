"""Whether other packages offer kinds: a look at their files, since asking importlib.metadata takes 20 to 60 ms."""

from __future__ import annotations

import os
import sys

ENTRY_POINTS = "hybridisco.kinds"
"""The group of entry points by which a package offers a kind."""

_INFO = (".dist-info", ".egg-info")


def by_packages() -> bool:
    """Whether an installed package names our group at all; True also where its files cannot be read."""
    return any(_offers(folder or ".") for folder in dict.fromkeys(sys.path))


def _offers(folder: str) -> bool:
    try:
        names = [name for name in os.listdir(folder) if name.endswith(_INFO)]  # noqa: PTH208 - pathlib takes 6 ms
    except OSError:  # an archive, or a folder that is not there
        return False
    return any(_names_us(f"{folder}/{name}/entry_points.txt") for name in names)


def _names_us(file: str) -> bool:
    try:
        with open(file, "rb") as stream:  # noqa: PTH123
            return ENTRY_POINTS.encode() in stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # let importlib.metadata say what is wrong with it
