"""What the add-on's own code must not do: reviewers refuse it, and it harms other extensions or later Blenders.

Only what is plain to see in the source is found. At run time Blender itself warns of some of it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from blender_addon.packaging.contents import VENDOR, Tree
from blender_addon.packaging.imports import parsed

_SHARED = {
    "path": "it would change what every other extension imports. Use relative imports; libraries come as wheels",
    "modules": "modules of other extensions are there too. Use relative imports",
}
_INSTALLERS = frozenset({"pip", "ensurepip", "setuptools", "site"})
_PIP = re.compile(r"(python\S* -m )?pip[\d.]*( install\b.*)?$")
_WRITES = frozenset({"mkdir", "rename", "rmdir", "touch", "unlink", "write_bytes", "write_text"})
_WRITE_MODES = frozenset("wax+")


def problems(tree: Tree) -> Iterator[str]:
    """Say where the add-on's own code does what it must not."""
    for place in sorted(tree):
        if place.endswith(".py") and not place.startswith(f"{VENDOR}/"):
            for node in ast.walk(parsed(tree[place], place)):
                for trouble in _of(node):
                    yield f"{place}:{getattr(node, 'lineno', 0)}: {trouble}"


def _of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys":
        if node.attr in _SHARED:
            yield f"This uses sys.{node.attr}: {_SHARED[node.attr]}."
    elif isinstance(node, ast.ImportFrom) and node.module == "sys":
        for alias in node.names:
            if alias.name in _SHARED:
                yield f"This uses sys.{alias.name}: {_SHARED[alias.name]}."
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        if not getattr(node, "level", 0) and {name.partition(".")[0] for name in names} & _INSTALLERS:
            yield "This installs packages at run time. What is needed comes in the zip, as a wheel."
    elif isinstance(node, ast.Call):
        if any(_PIP.match(word) for word in _words(node)):
            yield "This seems to run pip. What is needed comes in the zip, as a wheel."
        if _writes(node) and any(isinstance(part, ast.Name) and part.id == "__file__" for part in ast.walk(node)):
            yield (
                "This writes beside __file__, where the extension may not write and an update removes everything. "
                "Use bpy.utils.extension_path_user(__package__, create=True)."
            )


def _words(call: ast.Call) -> set[str]:
    """Return the strings in a call's arguments, lists of them included: ``run([python, "-m", "pip"])``."""
    parts = (part for argument in call.args for part in ast.walk(argument))
    return {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def _writes(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Attribute) and call.func.attr in _WRITES:
        return True
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    modes = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return name == "open" and any(
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and len(mode.value) <= 3
        and bool(_WRITE_MODES & set(mode.value))
        for mode in modes
    )
