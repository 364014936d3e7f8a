"""A static repository of extensions: a folder that any web server can offer, and Blender can update from."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from blender_addon.packaging import blender_tool

HOW_TO = """\
Put this folder on any web server. In Blender: Preferences › Get Extensions › Repositories › + › Add Remote Repository,
and there the URL of index.json. From a folder on the same machine: file:///path/to/this/folder/index.json
"""


def make(extension: Path, folder: Path, tool: Path) -> None:
    """Make a repository with one extension in it; an older one at the same place gives way.

    :raises BuildError: Blender's tool refuses the extension.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as made:
        fresh = Path(made) / folder.name
        fresh.mkdir()
        shutil.copy2(extension, fresh)
        (fresh / "README.txt").write_text(HOW_TO, encoding="utf-8")
        blender_tool.list_repository(tool, fresh)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
