"""What the zip is made of: all the lists, in one place.

::

    hybridisco-<version>.zip
    ├── blender_manifest.toml   the template, with the version and the wheels
    ├── __init__.py …           the add-on's own files: everything in blender_addon/ but NOT_SHIPPED
    ├── LICENSE                 GPL, of the add-on's own files
    ├── licenses/               of what is vendored, and what was changed in it
    ├── vendor/                 hybridisco, zeroconf, ifaddr: submodules of the extension, private to it
    └── wheels/                 pure Python, unmodified; shared with all other extensions of this Blender

What is vendored cannot meet another extension's copy of the same module. That matters for zeroconf, which others
install under that name too, and for hybridisco, whose other versions may be on the machine. Wheels are the usual way
for all else: one copy for all extensions, and the highest version wins.
"""

from __future__ import annotations

from pathlib import Path

Tree = dict[str, bytes]
"""The files of a zip, or of a part of one: path with slashes -> content."""

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""

HERE = Path(__file__).resolve().parent

VENDOR = "vendor"
LICENSES = "licenses"
WHEELS = "wheels"
MANIFEST = "blender_manifest.toml"

VENDORED = ("hybridisco", "zeroconf", "ifaddr")
"""The packages that become submodules of the extension."""

LEFT_OUT = frozenset({"doctor", "faces", "testing", "formats", "__main__"})
"""Modules of hybridisco that the extension does without: other faces, the doctor, mock backends, text output."""

NOT_SHIPPED = frozenset({"packaging", "README.md", MANIFEST})
"""In blender_addon/, but not in the zip as they are."""

SHIPPED_SUFFIXES = frozenset({".py", ".png", ".svg", ".json"})
"""Of the add-on's own files. Anything else is there by mistake, or is to be thought about first."""

ABSENT = frozenset({"cryptography", "netifaces", "platformdirs", "tomlkit"})
"""Imported by hybridisco where they are needed, and done without inside Blender: not pure, or not of use there."""

HOST = frozenset(
    {"addon_utils", "bl_ui", "blf", "bmesh", "bpy", "bpy_extras", "gpu", "gpu_extras", "mathutils", "rna_keymap_ui"}
)
"""What Blender itself has for add-ons to import."""

SIZE_LIMIT = 1_500_000  # bytes; a quick download, and ten times more is what one compiled wheel would add
