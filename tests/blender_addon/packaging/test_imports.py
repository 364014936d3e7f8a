"""Imports become relative, and nothing else changes."""

from __future__ import annotations

import ast
from importlib.util import resolve_name

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_addon.packaging.errors import BuildError
from blender_addon.packaging.imports import made_relative

DEEP = "vendor/hybridisco/sources/a.py"


def relative(source: str, place: str = DEEP) -> str:
    return made_relative(source.encode(), place).decode()


@pytest.mark.parametrize(
    ("place", "before", "after"),
    [
        # The add-on's own files.
        ("__init__.py", "from hybridisco import X", "from .vendor.hybridisco import X"),
        ("panel.py", "import hybridisco", "from .vendor import hybridisco"),
        ("logic/rows.py", "from hybridisco import X", "from ..vendor.hybridisco import X"),
        ("logic/__init__.py", "from hybridisco.core import model", "from ..vendor.hybridisco.core import model"),
        ("logic/a/b.py", "import hybridisco as h", "from ...vendor import hybridisco as h"),
        # hybridisco's.
        ("vendor/hybridisco/__init__.py", "from hybridisco._version import v", "from ._version import v"),
        ("vendor/hybridisco/thread.py", "from hybridisco import Status", "from . import Status"),
        ("vendor/hybridisco/core/__init__.py", "from hybridisco.core.model import X", "from .model import X"),
        (DEEP, "from hybridisco.core.model import X", "from ..core.model import X"),
        (DEEP, "from hybridisco.sources import wire", "from . import wire"),
        (DEEP, "from zeroconf import Zeroconf", "from ...zeroconf import Zeroconf"),
        (DEEP, "from zeroconf._dns import A", "from ...zeroconf._dns import A"),
        # The others'.
        ("vendor/zeroconf/_utils/net.py", "import ifaddr", "from ... import ifaddr"),
        ("vendor/ifaddr/_posix.py", "import ifaddr._shared as shared", "from . import _shared as shared"),
        ("vendor/ifaddr/netifaces.py", "import ifaddr", "from .. import ifaddr"),
        # Forms of the statement.
        (DEEP, "import hybridisco as h", "from ... import hybridisco as h"),
        (DEEP, "import hybridisco.core.model as m", "from ..core import model as m"),
        (DEEP, "from hybridisco import a as b, c", "from .. import a as b, c"),
        (DEEP, "from hybridisco import *", "from .. import *"),
        (DEEP, "from hybridisco import*", "from .. import*"),
        (DEEP, "from hybridisco import(a)", "from .. import(a)"),
        (DEEP, "from   hybridisco . core  import\ta", "from   ..core  import\ta"),
        (DEEP, "from \\\n  hybridisco.core \\\n  import a", "from \\\n  ..core \\\n  import a"),
        (DEEP, "from hybridisco.importer import importer", "from ..importer import importer"),
        (
            DEEP,
            "from hybridisco.core import (  # why\n    a,  # import hybridisco\n    b,\n)  # end",
            "from ..core import (  # why\n    a,  # import hybridisco\n    b,\n)  # end",
        ),
        (DEEP, "import os, ifaddr, sys as s", "import os; from ... import ifaddr; import sys as s"),
        (DEEP, "import os, \\\n    ifaddr", "import os; from ... import ifaddr"),
        (DEEP, "import a; import ifaddr; b = 1", "import a; from ... import ifaddr; b = 1"),
        (DEEP, "import ifaddr; import hybridisco.core.x as y", "from ... import ifaddr; from ..core import x as y"),
        (DEEP, "if a: import os, ifaddr", "if a: import os; from ... import ifaddr"),
        (DEEP, "def f():\n\timport ifaddr # here", "def f():\n\tfrom ... import ifaddr # here"),
        (DEEP, "if TYPE_CHECKING:\n    from hybridisco import X", "if TYPE_CHECKING:\n    from .. import X"),
        (DEEP, "x = 'ü€'; from hybridisco import é", "x = 'ü€'; from .. import é"),
    ],
)
def test_an_import_becomes_relative(place: str, before: str, after: str) -> None:
    ast.parse(after)
    assert relative(before, place) == after


@pytest.mark.parametrize(
    "source",
    [
        "from . import core\nfrom .. import hybridisco\nfrom .hybridisco import x",
        "import hybridiscotheque, my.hybridisco\nfrom hybridisco_kinds import x\nfrom other.hybridisco import y",
        "import os, sys as s\nfrom os import path as hybridisco",
        "'import hybridisco'\n# from hybridisco import x\nx = '''\nimport hybridisco\n'''\n",
        "f'{1}from hybridisco import x'\nimport_hybridisco = 1\nx = hybridisco.core",
        "",
        "\x0c\n\n# only a comment, no line end",
    ],
)
def test_all_else_stays_as_it_is(source: str) -> None:
    assert relative(source) == source


@pytest.mark.parametrize(
    "source",
    [
        b"import ifaddr\r\nx = 1\r\nimport ifaddr",
        b"\xef\xbb\xbfimport ifaddr\r\n",
        b"x = '''\rb\r'''\rimport ifaddr\r",
        b"# \xe2\x80\xa8 \x0b \x1c\n\x0cimport ifaddr",  # what only str.splitlines() takes for line ends
    ],
)
def test_line_ends_and_byte_order_marks_stay(source: bytes) -> None:
    assert made_relative(source, DEEP) == source.replace(b"import ifaddr", b"from ... import ifaddr")


def test_importing_a_submodule_by_its_whole_name_is_an_error_that_names_the_place() -> None:
    with pytest.raises(BuildError, match=rf"^{DEEP}:3: `import hybridisco.core` .*`from hybridisco import core`"):
        relative("import os\n\nimport hybridisco.core\n")


@pytest.mark.parametrize("source", [b"def", b"\xff = 1", b"# coding: latin-1\nx = '\xe9'", b"x = '\x00'"])
def test_what_is_no_python_in_utf_8_is_an_error_that_names_the_file(source: bytes) -> None:
    with pytest.raises(BuildError, match=f"^{DEEP}: "):
        made_relative(source, DEEP)


# -- any module, from anywhere ----------------------------------------------------------------------------

name = st.sampled_from(["hybridisco", "zeroconf", "core", "vendor", "sources", "x"])
modules = st.builds(
    lambda top, rest: ".".join([top, *rest]), st.sampled_from(["hybridisco", "zeroconf"]), st.lists(name, max_size=3)
)
packages = st.lists(name, max_size=4) | st.lists(name, max_size=3).map(lambda rest: ["vendor", *rest])


@given(packages, modules)
def test_a_relative_name_leads_to_the_same_module_from_everywhere(package: list[str], module: str) -> None:
    (made,) = ast.parse(relative(f"from {module} import x", "/".join([*package, "file.py"]))).body
    assert isinstance(made, ast.ImportFrom)
    from_there = resolve_name("." * made.level + (made.module or ""), ".".join(["root", *package]))
    assert from_there == f"root.vendor.{module}"


# -- any source -------------------------------------------------------------------------------------------

STATEMENTS = [
    ("import ifaddr", "from ... import ifaddr"),
    ("import os, hybridisco as h", "import os; from ... import hybridisco as h"),
    ("from hybridisco.core import (a,\n  b)", "from ..core import (a,\n  b)"),
    ("from zeroconf import *", "from ...zeroconf import *"),
    *(
        (same, same)
        for same in ("import os", "from . import hybridisco", "x = 'import hybridisco'", "'é' + \"€\"", "pass")
    ),
]
PLACES = [
    "{}\n",
    "{}; y = 'ß'\n",
    "y = 'ß'; {}  # import ifaddr\n",
    "if y: {}\n",
    "try:\n    {}\nfinally:\n\tpass\n",
    "class A:\n    '''from zeroconf import x'''\n    {}\n\n\n",
    "# from hybridisco import x\n{}\n",
]


@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(STATEMENTS)), max_size=8), st.booleans())
def test_only_the_imports_of_a_source_change(parts: list[tuple[str, tuple[str, str]]], windows: bool) -> None:
    before = "".join(place.replace("{}", statement[0]) for place, statement in parts)
    after = "".join(place.replace("{}", statement[1]) for place, statement in parts)
    if windows:
        before, after = before.replace("\n", "\r\n"), after.replace("\n", "\r\n")
    # A star is allowed at the top of a module only, which is not looked at by the parser.
    ast.parse(after)
    assert relative(before) == after
    assert relative(after) == after
