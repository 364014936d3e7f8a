"""All rules for the finished zip, applied to it as it lies on the disk."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

from blender_addon.packaging import closure, conduct, manifest_rules, zip_rules
from blender_addon.packaging.archive import read
from blender_addon.packaging.contents import MANIFEST
from blender_addon.packaging.errors import BuildError


def check(file: Path, left_out: Set[str] = frozenset()) -> None:
    """Raise an error that names everything that is wrong with a zip.

    :param left_out: modules, dotted from the root of the extension, that exist but were not put into the zip.
    :raises BuildError: something is.
    """
    tree = read(file)
    found = [
        *zip_rules.problems(tree, file.stat().st_size),
        *_manifest(tree.get(MANIFEST, b""), tree.keys()),
        *closure.problems(tree, left_out),
        *conduct.problems(tree),
    ]
    if found:
        raise BuildError(f"{file.name} must not be given to anybody:" + "".join(f"\n  {one}" for one in found))


def _manifest(content: bytes, files: Set[str]) -> Iterator[str]:
    try:
        manifest: dict[str, Any] = tomllib.loads(content.decode())
    except ValueError as error:
        yield f"{MANIFEST} is no TOML in UTF-8: {error}"
    else:
        yield from (f"{MANIFEST}: {problem}" for problem in manifest_rules.problems(manifest, files))
