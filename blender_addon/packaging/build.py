"""Puts everything together: one tree of files, then one zip, then the rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blender_addon.packaging import archive, rules
from blender_addon.packaging.contents import MANIFEST, NOT_SHIPPED, SHIPPED_SUFFIXES, WHEELS, Tree
from blender_addon.packaging.downloads import Downloads, sha256
from blender_addon.packaging.errors import BuildError
from blender_addon.packaging.imports import made_relative
from blender_addon.packaging.manifest import filled_in, version
from blender_addon.packaging.patches import PATCHES, Patch
from blender_addon.packaging.vendored import vendored


@dataclass(frozen=True, slots=True)
class Built:
    """A zip that keeps to all our rules."""

    file: Path
    size: int
    """In bytes."""
    sha256: str


def build(root: Path, out: Path, downloads: Downloads, patches: tuple[Patch, ...] = PATCHES) -> Built:
    """Make ``hybridisco-<version>.zip`` in ``out`` from the repository at ``root``.

    A zip that breaks a rule is removed again.

    :raises BuildError: it cannot be made, or breaks a rule.
    """
    wheels = {f"{WHEELS}/{wheel.name}": wheel.read_bytes() for wheel in downloads.wheels}
    ours = _own(root / "blender_addon")
    theirs = vendored(root, downloads.vendored, patches)
    template = (root / "blender_addon" / MANIFEST).read_text(encoding="utf-8")
    number = version(root)
    manifest = filled_in(template, number, (wheel.name for wheel in downloads.wheels))
    file = out / f"hybridisco-{number}.zip"
    archive.write({**ours, **theirs.files, **wheels, MANIFEST: manifest.encode()}, file)
    try:
        rules.check(file, theirs.left_out)
    except BuildError:
        file.unlink()
        raise
    return Built(file, file.stat().st_size, sha256(file))


def _own(folder: Path) -> Tree:
    """Return the add-on's own files. :raises BuildError: one is of a kind that is not expected there."""
    tree: Tree = {}
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder)
        if path.parts[0] in NOT_SHIPPED or any(part.startswith((".", "__pycache__")) for part in path.parts):
            continue
        if file.is_dir():
            continue
        place = path.as_posix()
        if place != "LICENSE" and file.suffix not in SHIPPED_SUFFIXES:
            raise BuildError(
                f"{file} is of a kind that the zip does not hold. Remove it, or add it to SHIPPED_SUFFIXES or "
                "NOT_SHIPPED in contents.py."
            )
        content = file.read_bytes()
        tree[place] = made_relative(content, place) if file.suffix == ".py" else content
    return tree
