"""Which files of the vendored packages are taken, and what is changed in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from blender_addon.packaging.errors import BuildError
from blender_addon.packaging.patches import Patch, patched
from blender_addon.packaging.vendored import vendored
from tests.blender_addon.packaging import tiny

NOTICE = "# Changed in 2026 for the Blender extension Hybridisco, see licenses/README.txt.\n"


def test_packages_are_taken_with_their_imports_made_relative_and_their_licences(tmp_path: Path) -> None:
    repository = tiny.repository(tmp_path / "repository")
    tiny.put(repository / "hybridisco" / "__pycache__" / "x.pyc", "")
    archives = tiny.downloads(tmp_path).vendored
    files = {place: content.decode() for place, content in vendored(repository, archives).files.items()}
    readme = files.pop("licenses/README.txt")
    assert files == {
        "licenses/hybridisco.txt": "MIT",
        "licenses/ifaddr.txt": "MIT too",
        "licenses/zeroconf.txt": "LGPL",
        "vendor/__init__.py": files["vendor/__init__.py"],
        "vendor/hybridisco/__init__.py": '"""Tiny."""\nimport importlib\nfrom ._version import __version__\n',
        "vendor/hybridisco/_version.py": '__version__ = "1.2.3"\n',
        "vendor/hybridisco/core/__init__.py": "",
        "vendor/hybridisco/core/model.py": "from .. import core\nSIZE = 1\n",
        "vendor/hybridisco/sources/__init__.py": "",
        "vendor/hybridisco/sources/wire.py": (
            "from ... import ifaddr; from ... import zeroconf\nfrom ..core.model import SIZE\n"
        ),
        "vendor/ifaddr/__init__.py": f"from ._shared import IP\n\n{NOTICE}",
        "vendor/ifaddr/_shared.py": "IP = 1\n",
        "vendor/zeroconf/__init__.py": "from ._logger import log\n",
        "vendor/zeroconf/_logger.py": (
            f'import logging\nlog = logging.getLogger(__name__.rpartition(".")[0])\n\n{NOTICE}'
        ),
        "vendor/zeroconf/_utils/__init__.py": "",
        "vendor/zeroconf/_utils/net.py": f"from ... import ifaddr  # why\n\n{NOTICE}",
        "vendor/zeroconf/py.typed": "",
    }
    for said in ("zeroconf 1.0", "ifaddr 1.0", "  vendor/ifaddr/__init__.py\n", "  vendor/zeroconf/_logger.py: "):
        assert said in readme
    assert "vendor/ifaddr/_shared.py" not in readme


def test_what_was_left_out_is_told(tmp_path: Path) -> None:
    repository = tiny.repository(tmp_path / "repository")
    assert vendored(repository, tiny.downloads(tmp_path).vendored).left_out == {
        f"vendor.hybridisco.{name}" for name in ("faces", "testing", "formats", "__main__")
    }


def test_compiled_code_is_refused(tmp_path: Path) -> None:
    archive = tiny.zeroconf(tmp_path, {"src/zeroconf/_cache.cpython-311.so": ""})
    with pytest.raises(BuildError, match=r"zeroconf-1\.0\.tar\.gz holds _cache\.cpython-311\.so"):
        vendored(tiny.repository(tmp_path / "repository"), [archive])


def test_an_archive_without_the_package_is_refused(tmp_path: Path) -> None:
    archive = tiny.sdist(tmp_path, "zeroconf", {"src/zeroconfig/__init__.py": "", "COPYING": "LGPL"})
    with pytest.raises(BuildError, match="holds no package zeroconf"):
        vendored(tiny.repository(tmp_path / "repository"), [archive])


def test_a_package_without_a_licence_is_refused(tmp_path: Path) -> None:
    archive = tiny.wheel(tmp_path, "ifaddr", {"ifaddr/__init__.py": ""})
    with pytest.raises(BuildError, match="holds no licence of ifaddr"):
        vendored(tiny.repository(tmp_path / "repository"), [archive])


@pytest.mark.parametrize("gone", ["LICENSE", "hybridisco/__init__.py"])
def test_a_repository_that_lacks_something_is_refused(gone: str, tmp_path: Path) -> None:
    repository = tiny.repository(tmp_path / "repository")
    (repository / gone).unlink()
    with pytest.raises(BuildError, match=gone.partition("/")[0]):
        vendored(repository, [])


PATCH = Patch("a.py", b"old", b"new", "it is better")


def test_a_patch_replaces_its_text_once() -> None:
    assert patched({"a.py": b"an old hat", "b.py": b"old"}, (PATCH,)) == {"a.py": b"an new hat", "b.py": b"old"}


@pytest.mark.parametrize("text", [b"a new hat", b"old, older"])
def test_a_patch_that_does_not_fit_stops_the_build(text: bytes) -> None:
    with pytest.raises(BuildError, match=r"a\.py: .*it is better"):
        patched({"a.py": text}, (PATCH,))
    with pytest.raises(BuildError, match=r"a\.py: .*0 times"):
        patched({}, (PATCH,))
