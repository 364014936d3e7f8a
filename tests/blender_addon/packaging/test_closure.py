"""What the zip's code imports is in the zip."""

from __future__ import annotations

from pathlib import Path

import pytest

from blender_addon.packaging.closure import problems
from blender_addon.packaging.contents import Tree
from tests.blender_addon.packaging import tiny

PLACE = "vendor/hybridisco/sources/a.py"
LEFT_OUT = frozenset({"vendor.hybridisco.formats", "vendor.hybridisco.formats.json_"})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    files = {"aiohttp/__init__.py": "", "typing_extensions.py": ""}
    return tiny.wheel(tmp_path_factory.mktemp("wheels"), "aiohttp", files).read_bytes()


def found(source: str, wheel: bytes, place: str = PLACE) -> list[str]:
    tree: Tree = {
        "__init__.py": b"",
        "logic/rows.py": b"",
        "vendor/__init__.py": b"",
        "vendor/hybridisco/__init__.py": b"",
        "vendor/hybridisco/core/model.py": b"",
        "vendor/hybridisco/sources/__init__.py": b"",
        "vendor/zeroconf/__init__.py": b"",
        "wheels/aiohttp-1.0-py3-none-any.whl": wheel,
    }
    return list(problems({**tree, place: source.encode()}, LEFT_OUT))


@pytest.mark.parametrize(
    "source",
    [
        "import os, asyncio.events\nimport msvcrt\nfrom collections.abc import Iterator",
        "from . import a\nfrom .a import x\nfrom .. import core, SIZE\nfrom ..core.model import y",
        "from ... import zeroconf",
        "import aiohttp.web\nfrom typing_extensions import x",
        "def f():\n    import tomlkit",
        "class A:\n    def f(self):\n        if x:\n            import tomlkit",
        "try:\n    import netifaces\nexcept ImportError:\n    netifaces = None",
        "if TYPE_CHECKING:\n    from ..formats import json_\n    import numpy, hybridisco",
        "if typing.TYPE_CHECKING:\n    import numpy\nelse:\n    import os",
        'import_module(".sources.probe", __package__)\nto_thread(import_module, ".sources.probe")',
        'entry_points(group="hybridisco.kinds")',
    ],
)
def test_what_leads_somewhere_is_no_problem(source: str, wheel: bytes) -> None:
    assert found(source, wheel) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("from hybridisco import x", "absolute name"),
        ("import zeroconf.asyncio", "absolute name"),
        ("def f():\n    import ifaddr", "absolute name"),
        ("import tomlkit", "tomlkit is not in the zip. Import it in the function"),
        ("class A:\n    import tomlkit", "tomlkit is not in the zip"),
        ("def f():\n    import numpy", "numpy is not in the zip. Add it to wheels.txt"),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import numpy", "numpy is not in the zip"),
        ("from numpy.x import y", "numpy is not in the zip"),
        ("import bpy", "bpy is not in the zip"),  # only the add-on itself may
        ("from ..nowhere import x", "There is no vendor.hybridisco.nowhere in the zip"),
        ("from .....far import x", "leads out of the extension"),
        ("from .. import formats", "vendor.hybridisco.formats is left out"),
        ("from ..formats import json_", "vendor.hybridisco.formats is left out"),
        ("async def f():\n    from ..formats.json_ import x", "vendor.hybridisco.formats.json_ is left out"),
        ('importlib.import_module("hybridisco.thread")', "'hybridisco.thread' is imported by its absolute name"),
        ('to_thread(importlib.import_module, "hybridisco.sources.probe")', "'hybridisco.sources.probe' is imported"),
        ('import_module(name="zeroconf")', "'zeroconf' is imported"),
        ('__import__("ifaddr")', "'ifaddr' is imported"),
    ],
)
def test_what_leads_nowhere_is_named_with_its_place(source: str, said: str, wheel: bytes) -> None:
    (problem,) = found(f"\n{source}", wheel)
    assert said in problem
    assert problem.startswith(f"{PLACE}:{source.count(chr(10)) + 2}: ")


def test_the_add_on_may_import_what_blender_has(wheel: bytes) -> None:
    assert found("import bpy\nfrom bpy.types import Panel\nimport mathutils", wheel, "panel.py") == []


def test_the_add_on_may_not_lead_out_of_its_package(wheel: bytes) -> None:
    assert found("from .. import other_extension", wheel, "panel.py") == [
        "panel.py:1: This relative import leads out of the extension."
    ]
    assert found("from . import logic\nfrom .logic import rows\nfrom .logic.rows import x", wheel, "panel.py") == [
        "panel.py:2: There is no logic in the zip. Is its name spelled rightly, and is the file there?"
    ]


def test_every_problem_is_told_at_once(wheel: bytes) -> None:
    assert len(found("import numpy, scipy\nimport zeroconf", wheel)) == 3


def test_a_wheel_brings_modules_and_packages(tmp_path: Path) -> None:
    tree = {
        "a.py": b"import six, attr, attrs\nimport attrs_extra",
        "wheels/x.whl": tiny.wheel(tmp_path, "attrs", {"six.py": "", "attr/a.py": "", "attrs/a.py": ""}).read_bytes(),
    }
    assert [problem.split(": ")[1].split()[0] for problem in problems(tree)] == ["attrs_extra"]
