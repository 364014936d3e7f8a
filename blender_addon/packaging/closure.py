"""Whether the code in the zip finds there all that it imports.

Each import is looked at where it stands: a relative one must lead to a file of the zip, an absolute one to the standard
library, a wheel or Blender. ``if TYPE_CHECKING:`` may name anything. What hybridisco can do without (see ``ABSENT``)
may be imported in a function or a ``try`` only, since that is where its absence is dealt with.
"""

from __future__ import annotations

import ast
import io
import sys
import zipfile
from collections.abc import Iterator, Set
from dataclasses import dataclass

from blender_addon.packaging.contents import ABSENT, HOST, VENDOR, WHEELS, Tree
from blender_addon.packaging.imports import is_vendored, package_of, parsed


@dataclass(frozen=True, slots=True)
class _Found:
    """One import statement, and how much depends on it."""

    node: ast.Import | ast.ImportFrom
    lazy: bool


def problems(tree: Tree, left_out: Set[str] = frozenset()) -> Iterator[str]:
    """Say of each import that leads nowhere what it is and why.

    :param left_out: modules, dotted from the root of the extension, that exist but were not put into the zip.
    """
    modules = {_module_of(place) for place in tree if place.endswith(".py")}
    bundled = {name for place in tree if place.startswith(f"{WHEELS}/") for name in _top_level(tree[place])}
    for place in sorted(tree):
        if not place.endswith(".py"):
            continue
        root = parsed(tree[place], place)
        own = not place.startswith(f"{VENDOR}/")
        outside = bundled | sys.stdlib_module_names | (HOST if own else frozenset())
        for found in _imports(root):
            for trouble in _of(found, place, modules, left_out, outside):
                yield f"{place}:{found.node.lineno}: {trouble}"
        for line, name in _by_name(root):
            yield (
                f"{place}:{line}: {name!r} is imported by its absolute name, which it does not have in Blender. "
                'Use import_module(".name", __package__).'
            )


def _of(found: _Found, place: str, modules: Set[str], left_out: Set[str], outside: Set[str]) -> Iterator[str]:
    node = found.node
    if isinstance(node, ast.ImportFrom) and node.level:
        package = package_of(place)
        up = node.level - 1
        if up > len(package):
            yield "This relative import leads out of the extension."
            return
        base = ".".join((*package[: len(package) - up], *([node.module] if node.module else [])))
        yield from _relative(node, base, modules, left_out)
        return
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    for name in names:
        top = name.partition(".")[0]
        if is_vendored(name):
            yield f"{name} is still imported by its absolute name: the build should have made it relative."
        elif top in outside or (top in ABSENT and found.lazy):
            continue
        elif top in ABSENT:
            yield f"{top} is not in the zip. Import it in the function that needs it, and do without it there."
        else:
            yield f"{top} is not in the zip. Add it to wheels.txt, or do without it."


def _relative(node: ast.ImportFrom, base: str, modules: Set[str], left_out: Set[str]) -> Iterator[str]:
    inside = [f"{base}.{alias.name}".lstrip(".") for alias in node.names]
    if missing := sorted({base, *inside} & left_out):
        yield (
            f"{missing[0]} is left out of the zip. Do without it here, import it under TYPE_CHECKING only, or take it "
            "off LEFT_OUT in contents.py."
        )
    elif base not in modules:
        yield f"There is no {base} in the zip. Is its name spelled rightly, and is the file there?"


def _module_of(place: str) -> str:
    return ".".join(place.removesuffix(".py").removesuffix("__init__").rstrip("/").split("/"))


def _top_level(wheel: bytes) -> set[str]:
    """Return the names that a wheel lets one import."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        parts = {name.split("/")[0] for name in archive.namelist()}
    return {part.removesuffix(".py") for part in parts if not part.endswith((".dist-info", ".data"))}


def _imports(node: ast.AST, *, lazy: bool = False) -> Iterator[_Found]:
    """Find every import that can be carried out."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield _Found(node, lazy)
        return
    children: list[ast.AST] = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.If) and _is_type_checking(node.test):
        children = list(node.orelse)
    lazy = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Try)
    for child in children:
        yield from _imports(child, lazy=lazy)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _by_name(root: ast.Module) -> Iterator[tuple[int, str]]:
    """Find calls such as ``import_module("hybridisco.thread")``, also where the function is handed to another."""
    for node in ast.walk(root):
        if not isinstance(node, ast.Call):
            continue
        said = {
            part.id if isinstance(part, ast.Name) else part.attr
            for part in (node.func, *node.args)
            if isinstance(part, ast.Name | ast.Attribute)
        }
        if not said & {"import_module", "__import__"}:
            continue
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and is_vendored(argument.value):
                yield node.lineno, argument.value
