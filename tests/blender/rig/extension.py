"""Making other people's extensions, and the wheels that they bundle."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path

from . import setup

_MANIFEST = """\
schema_version = "1.0.0"
id = "{id}"
version = "{version}"
name = "{name}"
tagline = "Somebody else's extension"
maintainer = "Somebody Else"
type = "add-on"
blender_version_min = "4.2.0"
license = ["SPDX:GPL-3.0-or-later"]
wheels = [{wheels}]

[permissions]
network = "Looks for devices on the LAN"
"""


def zipped(folder: Path, source: Path, *, version: str = "1.0.0", wheels: Sequence[Path] = ()) -> Path:
    """Write the extension whose only module is ``source``, and whose id is that file's name."""
    name = source.stem
    bundled = ", ".join(f'"./wheels/{wheel.name}"' for wheel in wheels)
    manifest = _MANIFEST.format(id=name, version=version, name=name.replace("_", " ").title(), wheels=bundled)
    path = folder / f"{name}-{version}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("blender_manifest.toml", manifest)
        archive.write(source, "__init__.py")
        for wheel in wheels:
            archive.write(wheel, f"wheels/{wheel.name}")
    return path


def old_wheel(distribution: str) -> Path:
    """One of the old releases that the setup fetched."""
    (found,) = setup.wheels().glob(f"{distribution}-*.whl")
    return found


def renamed_wheel(folder: Path, wheel: Path, distribution: str) -> Path:
    """``wheel`` published under another name, with the same modules in it: as open_stage_zeroconf is zeroconf."""
    old, version, *tags = wheel.name.split("-")
    path = folder / "-".join([distribution, version, *tags])
    old_info, new_info = f"{old}-{version}.dist-info/", f"{distribution}-{version}.dist-info/"
    record = []
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            name = name.replace(old_info, new_info)
            if name == f"{new_info}RECORD":
                continue
            if name == f"{new_info}METADATA":
                content = content.replace(f"\nName: {old}\n".encode(), f"\nName: {distribution}\n".encode(), 1)
            target.writestr(name, content)
            seal = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={seal},{len(content)}\n")
        target.writestr(f"{new_info}RECORD", "".join([*record, f"{new_info}RECORD,,\n"]))
    return path
