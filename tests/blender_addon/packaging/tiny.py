"""A repository and packages that are as small as they can be and still make a zip that keeps to all rules."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from blender_addon.packaging.contents import HERE, MANIFEST
from blender_addon.packaging.downloads import Downloads

LOGGER = 'import logging\nlog = logging.getLogger(__name__.split(".", maxsplit=1)[0])\n'

HYBRIDISCO = {
    "__init__.py": '"""Tiny."""\nimport importlib\nfrom hybridisco._version import __version__\n',
    "_version.py": '__version__ = "1.2.3"\n',
    "core/__init__.py": "",
    "core/model.py": "from hybridisco import core\nSIZE = 1\n",
    "sources/__init__.py": "",
    "sources/wire.py": "import ifaddr, zeroconf\nfrom hybridisco.core.model import SIZE\n",
    "faces/__init__.py": "import click\n",
    "testing/__init__.py": "",
    "formats/__init__.py": "",
    "__main__.py": "from hybridisco.faces import main\n",
}

ADDON = {
    "__init__.py": "from hybridisco.core.model import SIZE\n",
    "logic/__init__.py": "",
    "logic/rows.py": "import bpy\n\nfrom .. import SIZE\n",
    "packaging/__init__.py": "import nothing_that_there_is\n",
    "README.md": "for developers",
    "LICENSE": "GPL",
}


def repository(root: Path) -> Path:
    """Make a repository with an add-on, hybridisco and their licences."""
    for folder, files in (("hybridisco", HYBRIDISCO), ("blender_addon", ADDON)):
        for place, text in files.items():
            put(root / folder / place, text)
    put(root / "blender_addon" / MANIFEST, (HERE.parent / MANIFEST).read_text(encoding="utf-8"))
    put(root / "LICENSE", "MIT")
    return root


def put(file: Path, text: str) -> None:
    """Write a file, and the folders above it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def downloads(folder: Path) -> Downloads:
    """Make the archives that such a repository's extension is built from."""
    return Downloads((zeroconf(folder), ifaddr(folder)), (wheel(folder, "aiohttp", {"aiohttp/__init__.py": ""}),))


def zeroconf(folder: Path, more: Mapping[str, str] | None = None) -> Path:
    """Make a source archive of zeroconf."""
    files = {
        "COPYING": "LGPL",
        "setup.py": "raise SystemExit('not to be run')",
        "tests/__init__.py": "",
        "src/zeroconf/__init__.py": "from ._logger import log\n",
        "src/zeroconf/_cache.pxd": "cdef int x\n",
        "src/zeroconf/_logger.py": LOGGER,
        "src/zeroconf/py.typed": "",
        "src/zeroconf/_utils/__init__.py": "",
        "src/zeroconf/_utils/net.py": "import ifaddr  # why\n",
    }
    return sdist(folder, "zeroconf", {**files, **(more or {})})


def ifaddr(folder: Path) -> Path:
    """Make a wheel of ifaddr."""
    files = {
        "ifaddr/__init__.py": "from ifaddr._shared import IP\n",
        "ifaddr/_shared.py": "IP = 1\n",
        "ifaddr/test_ifaddr.py": "import pytest\n",
        "ifaddr-1.0.dist-info/LICENSE.txt": "MIT too",
    }
    return wheel(folder, "ifaddr", files)


def wheel(folder: Path, name: str, files: Mapping[str, str], tag: str = "py3-none-any") -> Path:
    """Make a wheel that pip takes."""
    metadata = {
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{name}-1.0.dist-info/RECORD": "",
    }
    file = folder / f"{name}-1.0-{tag}.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for place, text in {**metadata, **files}.items():
            archive.writestr(zipfile.ZipInfo(place), text)
    return file


def sdist(folder: Path, name: str, files: Mapping[str, str]) -> Path:
    """Make a source archive."""
    file = folder / f"{name}-1.0.tar.gz"
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w:gz") as archive:
        for place, text in files.items():
            member = tarfile.TarInfo(f"{name}-1.0/{place}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return file


def pins(file: Path, *archives: Path) -> Path:
    """Write a requirements file that pins archives."""
    lines = (
        f"{a.name.split('-')[0]}==1.0 --hash=sha256:{hashlib.sha256(a.read_bytes()).hexdigest()}" for a in archives
    )
    put(file, "\n".join(lines))
    return file
