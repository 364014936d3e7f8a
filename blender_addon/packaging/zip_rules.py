"""What the zip as a whole must keep to: its size, its names, its licences, and nothing in it that is not needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from blender_addon.packaging.contents import LICENSES, MANIFEST, SIZE_LIMIT, VENDORED, WHEELS, Tree

_NEEDED = (
    MANIFEST,
    "__init__.py",
    "LICENSE",
    f"{LICENSES}/README.txt",
    *(f"{LICENSES}/{name}.txt" for name in VENDORED),
)
_SUFFIXES = frozenset({".py", ".typed", ".toml", ".txt", ".whl", ".png", ".svg", ".json"})
_FOLDERS = frozenset({"__pycache__", "packaging", "tests", "test"})


def problems(tree: Tree, size: int) -> Iterator[str]:
    """Say what is wrong with the files of a zip, and with its size in bytes."""
    if size > SIZE_LIMIT:
        yield f"The zip has {size / 1e6:.2f} MB, more than {SIZE_LIMIT / 1e6:.1f} MB. Look for what came in by mistake."
    for place in _NEEDED:
        if not tree.get(place):
            yield f"{place} is missing or empty."
    for place in sorted(tree):
        yield from _place(PurePosixPath(place))
    for name, count in Counter(place.casefold() for place in tree).items():
        if count > 1:
            yield f"{name} is there {count} times, but for small and capital letters: some systems keep only one."


def _place(path: PurePosixPath) -> Iterator[str]:
    if path.is_absolute() or ".." in path.parts or "\\" in str(path) or not str(path).isascii():
        yield f"{path} is no name that every system can unpack. Use plain letters and relative paths."
    if any(part.startswith(".") for part in path.parts):
        yield f"{path} is hidden, and not needed. Leave it out."
    elif _FOLDERS & set(path.parts) or path.name.startswith(("test_", "conftest")):
        yield f"{path} belongs to the development, and is not needed. Leave it out."
    elif path.suffix not in _SUFFIXES and str(path) != "LICENSE":
        yield f"{path} is a kind of file that the extension does not need. Leave it out."
    elif (path.suffix == ".whl") != (path.parts[0] == WHEELS):
        yield f"{path} lies in the wrong folder: {WHEELS} is for wheels, and only for them."
