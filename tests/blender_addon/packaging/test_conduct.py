"""What the add-on's own code must not do."""

from __future__ import annotations

import pytest

from blender_addon.packaging.conduct import problems


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("sys.path.append('x')", "sys.path"),
        ("x = list(sys.modules)", "sys.modules"),
        ("from sys import path as p", "sys.path"),
        ("import pip", "at run time"),
        ("import os, ensurepip.x", "at run time"),
        ("from pip._internal import main", "at run time"),
        ("subprocess.run([sys.executable, '-m', 'pip', 'install', x])", "run pip"),
        ("os.system('pip3 install zeroconf')", "run pip"),
        ("os.system('python3.11 -m pip install zeroconf')", "run pip"),
        ("Path(__file__).with_name('cache').write_text(x)", "beside __file__"),
        ("(Path(__file__).parent / 'x').mkdir()", "beside __file__"),
        ("open(os.path.join(os.path.dirname(__file__), 'log'), 'a')", "beside __file__"),
        ("Path(__file__).open(mode='wb')", "beside __file__"),
    ],
)
def test_what_harms_others_is_found_and_named(source: str, said: str) -> None:
    (problem,) = problems({"logic/rows.py": f"\n\n{source}".encode()})
    assert problem.startswith("logic/rows.py:3: ")
    assert said in problem


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nsys.version_info\nother.path.append(x)\nself.modules",
        "label(text='Neither pip nor a restart is needed')\nprint('pipe')",
        "icons.load('x', str(Path(__file__).parent / 'icons.png'), 'IMAGE')\nopen(__file__)\nopen(__file__, 'rb')",
        "Path(user_folder).write_text(x)\n__file__.replace('a', 'b')",
        "from .site import x",
    ],
)
def test_what_is_allowed_is_no_problem(source: str) -> None:
    assert list(problems({"panel.py": source.encode()})) == []


def test_vendored_code_is_not_ours() -> None:
    assert list(problems({"vendor/zeroconf/a.py": b"import sys; sys.path", "a.txt": b"sys.path ("})) == []
