"""What is changed in vendored packages besides their imports.

Each change names the text that it replaces, which must be there exactly once: a new version of the package that reads
differently stops the build instead of losing the change.
"""

from __future__ import annotations

from dataclasses import dataclass

from blender_addon.packaging.contents import Tree
from blender_addon.packaging.errors import BuildError


@dataclass(frozen=True, slots=True)
class Patch:
    """One replacement in one file."""

    place: str
    old: bytes
    new: bytes
    why: str


PATCHES = (
    Patch(
        "vendor/zeroconf/_logger.py",
        b'logging.getLogger(__name__.split(".", maxsplit=1)[0])',
        b'logging.getLogger(__name__.rpartition(".")[0])',
        "the first part of the name is bl_ext in Blender: it would set the log level of all extensions",
    ),
)


def patched(tree: Tree, patches: tuple[Patch, ...] = PATCHES) -> Tree:
    """Return the files with the changes made. :raises BuildError: one does not fit."""
    result = dict(tree)
    for patch in patches:
        found = result.get(patch.place, b"").count(patch.old)
        if found != 1:
            raise BuildError(
                f"{patch.place}: The text to be replaced is there {found} times instead of once "
                f"({patch.old.decode()}). A new version of the package reads differently: see whether the change is "
                f"still needed ({patch.why}), and adapt it in patches.py."
            )
        result[patch.place] = result[patch.place].replace(patch.old, patch.new)
    return result
