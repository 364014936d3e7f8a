"""Blender's own tool for extensions, ``blender_ext.py``: one file, which runs without Blender.

It is looked for, in this order, in ``$BLENDER_EXT``, in an environment of the tests with Blender, and among what an
earlier build kept. Else Blender is downloaded as a Python module (375 MB, once), and the one file of it is kept.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from blender_addon.packaging.contents import HERE
from blender_addon.packaging.downloads import fetch
from blender_addon.packaging.errors import BuildError

_INSIDE = "scripts/addons_core/bl_pkg/cli/blender_ext.py"
_KEPT = "blender_ext.py"
# For Linux, whatever this machine is: nothing of the module is run but that file.
_ANY_BPY = ("--no-deps", "--only-binary=:all:", "--platform=manylinux_2_28_x86_64", "--python-version=3.11")


def cache_folder() -> Path:
    """Return the folder where what takes long to download is kept from one checkout to the next."""
    if chosen := os.environ.get("HYBRIDISCO_TEST_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hybridisco-tests"


def find(cache: Path, pins: Path = HERE / "blender.txt") -> Path:
    """Return the tool, downloaded as ``pins`` say if need be. :raises BuildError: it cannot be had."""
    if given := os.environ.get("BLENDER_EXT"):
        if not Path(given).is_file():
            raise BuildError(
                f"BLENDER_EXT names {given}, which is no file. Correct it, or unset it to have one fetched."
            )
        return Path(given)
    installed = [
        tool for lib in ("lib/python*", "Lib") for tool in cache.glob(f"bpy-*/{lib}/site-packages/bpy/*/{_INSIDE}")
    ]
    if installed:
        return max(installed, key=_version)
    kept = cache / _KEPT
    if not kept.is_file():
        _fetch(kept, pins)
    return kept


def validate(tool: Path, extension: Path) -> None:
    """Have Blender's tool look at a zip. :raises BuildError: it finds something wrong."""
    _run(tool, "validate", str(extension))


def list_repository(tool: Path, folder: Path) -> None:
    """Have Blender's tool write the lists of a repository's extensions. :raises BuildError: it cannot."""
    _run(tool, "server-generate", "--repo-dir", str(folder), "--html")


def _version(tool: Path) -> tuple[int, ...]:
    """Return the version of Blender that a tool in an environment of the tests belongs to."""
    return tuple(int(number) for number in re.findall(r"\d+", tool.parents[4].name))


def _fetch(kept: Path, pins: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".blender-tool-") as folder:
        (wheel,) = fetch(pins, Path(folder), _ANY_BPY)
        with zipfile.ZipFile(wheel) as archive:
            inside = [name for name in archive.namelist() if name.endswith(_INSIDE)]
            if len(inside) != 1:
                raise BuildError(f"{wheel.name} holds no {_INSIDE}. Pin another version of Blender in {pins.name}.")
            fresh = Path(folder) / _KEPT
            fresh.write_bytes(archive.read(inside[0]))
        fresh.replace(kept)


def _run(tool: Path, *arguments: str) -> None:
    done = subprocess.run([sys.executable, str(tool), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise BuildError(f"Blender's own tool refuses this ({tool}):\n{(done.stderr + done.stdout).strip()}")
