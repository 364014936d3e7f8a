"""Fills in the template of the manifest: the version, which is written in one place only, and the wheels."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from blender_addon.packaging.contents import WHEELS
from blender_addon.packaging.errors import BuildError

_VERSION_MARK = "# version: filled in by the build"
_WHEELS_MARK = "# wheels: filled in by the build"
_VERSION = re.compile(r"^__version__ = (\".*\")$", re.MULTILINE)


def version(root: Path) -> str:
    """Return hybridisco's version, which is the extension's. :raises BuildError: it is not found."""
    file = root / "hybridisco" / "_version.py"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    if match := _VERSION.search(text):
        return str(ast.literal_eval(match[1]))
    raise BuildError(f'{file} holds no line `__version__ = "…"`, from which the extension gets its version.')


def filled_in(template: str, version: str, wheels: Iterable[str]) -> str:
    """Return the manifest.

    :param wheels: the names of the wheels' files.
    :raises BuildError: the template has no place for them.
    """
    listed = "".join(f'  "./{WHEELS}/{wheel}",\n' for wheel in sorted(wheels))
    text = _put(template, _VERSION_MARK, f'version = "{version}"')
    return _put(text, _WHEELS_MARK, f"wheels = [\n{listed}]")


def _put(text: str, mark: str, line: str) -> str:
    lines = text.splitlines()
    if lines.count(mark) != 1:
        raise BuildError(f"The manifest's template needs the line `{mark}` once, and has it {lines.count(mark)} times.")
    return "".join(f"{line if one == mark else one}\n" for one in lines)
