"""Makes the absolute imports of vendored packages relative.

An extension's package is called ``bl_ext.<repository>.hybridisco``, and each user names the repository: no absolute
name of our submodules is known when the zip is made. So ``from hybridisco.core import model`` becomes, in
``vendor/hybridisco/sources/a.py``, ``from ..core import model``, and in the add-on's ``logic/rows.py``
``from ..vendor.hybridisco.core import model``. (The tool ``vendoring`` does a similar job for one fixed namespace that
it writes into the files, which is why it does not fit here.)

Only the spans of import statements are touched, wherever they stand; all else stays as it is, byte for byte. The one
form that has no relative twin is ``import hybridisco.core``, which binds the top name: that is an error here.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from blender_addon.packaging.contents import VENDOR, VENDORED
from blender_addon.packaging.errors import BuildError

# Between `from` and `import` there is the module's name, and around its parts blanks or continued lines.
_FROM = re.compile(r"from(?P<before>[\s\\]*)(?P<module>\w[\w.\s\\]*?)(?P<after>[\s\\]*)\bimport\b")
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")  # as Python counts lines; bytes.splitlines() knows more ends
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    new: bytes


def made_relative(source: bytes, place: str) -> bytes:
    """Return the source of the file that lies at ``place`` in the zip with its vendored imports made relative.

    :raises BuildError: it is no Python in UTF-8, or it imports in a way that cannot be expressed.
    """
    bom = _BOM if source.startswith(_BOM) else b""
    body = source.removeprefix(_BOM)
    tree = parsed(body, place)
    starts = [0]
    for line in _LINE.findall(body):
        starts.append(starts[-1] + len(line))
    result = body
    for edit in sorted(_edits(tree, body, starts, place), key=lambda edit: edit.start, reverse=True):
        result = result[: edit.start] + edit.new + result[edit.end :]
    return bom + result


def parsed(source: bytes, place: str) -> ast.Module:
    """Return the syntax tree of a file. :raises BuildError: it is no Python in UTF-8."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        if encoding not in ("utf-8", "utf-8-sig"):
            raise SyntaxError(f"it is encoded as {encoding}")
        source.decode()
        return ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise BuildError(
            f"{place}: This is no Python source in UTF-8: {error}. Mend it, or leave the file out."
        ) from None


def is_vendored(module: str) -> bool:
    """Whether a module belongs to a package that is vendored."""
    return module.partition(".")[0] in VENDORED


def package_of(place: str) -> tuple[str, ...]:
    """Return the package that a file belongs to, from the root of the extension; ``()`` is the root itself."""
    return tuple(place.split("/")[:-1])


def _edits(tree: ast.Module, source: bytes, starts: list[int], place: str) -> Iterator[_Edit]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        if isinstance(node, ast.Import) and any(is_vendored(alias.name) for alias in node.names):
            yield _Edit(start, end, _plain(node, place).encode())
        elif isinstance(node, ast.ImportFrom) and not node.level and is_vendored(node.module or ""):
            match = _FROM.match(source[start:end].decode())
            assert match and node.module, (place, node.lineno)
            where = start + len(match.string[: match.start("module")].encode())
            length = len(match["module"].encode())
            yield _Edit(where, where + length, _relative(place, node.module).encode())


def _plain(node: ast.Import, place: str) -> str:
    """Return ``import a, b as c`` as statements of which each imports one module."""
    statements = []
    for alias in node.names:
        renamed = f" as {alias.asname}" if alias.asname else ""
        package, _, name = alias.name.rpartition(".")
        if not is_vendored(alias.name):
            statements.append(f"import {alias.name}{renamed}")
        elif package and not renamed:
            raise BuildError(
                f"{place}:{node.lineno}: `import {alias.name}` cannot be made relative, since it binds the name "
                f"{alias.name.partition('.')[0]!r}. Write `from {package} import {name}` or "
                f"`import {alias.name} as {name}`."
            )
        else:
            statements.append(f"from {_relative(place, package)} import {name}{renamed}")
    return "; ".join(statements)


def _relative(place: str, module: str) -> str:
    """Return the name of a vendored module, or of the package of all of them if it is empty, as seen from ``place``."""
    here = package_of(place)
    there = (VENDOR, *(module.split(".") if module else ()))
    common = 0
    while common < min(len(here), len(there)) and here[common] == there[common]:
        common += 1
    return "." * (len(here) - common + 1) + ".".join(there[common:])
