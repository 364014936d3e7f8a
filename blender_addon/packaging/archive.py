"""Writes the zip: from the same files the same bytes, whoever builds, when and where.

Names are sorted, and times and modes fixed. (What deflate makes of them is up to zlib: of two machines with different
ones, each makes its own zip again and again, with the same files in it.)
"""

from __future__ import annotations

import os
import tempfile
import time
import zipfile
from pathlib import Path

from blender_addon.packaging.contents import Tree
from blender_addon.packaging.errors import BuildError

_OLDEST = (1980, 1, 1, 0, 0, 0)  # a zip cannot tell of times before, nor of odd seconds
_MODE = 0o100644
_UNIX = 3  # the system whose modes these are


def write(tree: Tree, file: Path) -> None:
    """Write the files into a zip, which is there at once or not at all.

    :raises BuildError: ``SOURCE_DATE_EPOCH`` is no time.
    """
    date = _date()
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.stem}-") as folder:
        fresh = Path(folder) / file.name
        with zipfile.ZipFile(fresh, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for place in sorted(tree):
                info = zipfile.ZipInfo(place, date)
                info.create_system = _UNIX
                info.external_attr = _MODE << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, tree[place])
        fresh.replace(file)


def read(file: Path) -> Tree:
    """Return the files of a zip. :raises BuildError: it is none, or names one twice."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            tree = {name: archive.read(name) for name in names}
    except (OSError, zipfile.BadZipFile) as error:
        raise BuildError(f"{file} cannot be read as a zip: {error}. Build it anew.") from None
    if len(tree) != len(names):
        raise BuildError(f"{file} holds a name twice. Build it anew.")
    return tree


def _date() -> tuple[int, int, int, int, int, int]:
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        return _OLDEST
    try:
        date = time.gmtime(int(given))[:6]
    except (ValueError, OverflowError, OSError):
        raise BuildError(
            f"SOURCE_DATE_EPOCH is {given!r}, which is no time. Give the seconds since 1970, or unset it."
        ) from None
    return max(_OLDEST, date)
