"""The real hybridisco, with the installed zeroconf and ifaddr, works as submodules of a package of any name."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import hybridisco
from blender_addon.packaging.closure import problems
from blender_addon.packaging.contents import LEFT_OUT, ROOT, Tree
from blender_addon.packaging.vendored import Vendored, vendored
from hybridisco.testing.fixtures import StartMockBackend
from tests.blender_addon.packaging import tiny

RUN = """
import importlib, json, logging, sys, threading
from pathlib import Path

VENDORED = ("hybridisco", "zeroconf", "ifaddr")
PLACE = "bl_ext_of_a_test.any_repository.our_name.vendor"
sys.path[:0] = [sys.argv[1], sys.argv[2]]

class Nowhere:
    "Nothing is to be had under the names of the vendored packages."
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in VENDORED:
            raise ImportError(f"{name} was imported from outside the extension")

sys.meta_path.insert(0, Nowhere())
hybridisco = importlib.import_module(PLACE + ".hybridisco")


def there(name):
    try:
        return getattr(hybridisco, name) is not None
    except ImportError:
        return False


missing = [name for name in hybridisco.__all__ if not there(name)]
online = threading.Event()

def look(events, snapshot):
    if any(service.status == "online" for service in snapshot):
        online.set()

discovery = hybridisco.DiscoveryThread(hybridisco.load_config(Path(sys.argv[3])))
discovery.subscribe(look)
discovery.start()
online.wait(20)
snapshot = discovery.snapshot
print(json.dumps({
    "missing": missing,
    "sources": {str(name): source.state for name, source in snapshot.sources},
    "services": [[service.kind, service.url, str(service.status)] for service in snapshot],
    "stopped": discovery.stop(10),
    "error": repr(discovery.error),
    "outside": [name for name in sys.modules if name.partition(".")[0] in VENDORED],
    "inside": [name for name in VENDORED if f"{PLACE}.{name}" in sys.modules],
    "level": logging.getLogger(PLACE.partition(".")[0]).level,
}))
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Vendored:
    """Vendor what is installed here, which need not be the pinned versions."""
    folder = tmp_path_factory.mktemp("archives")
    archives = []
    for name in ("zeroconf", "ifaddr"):
        source = Path(_site(name)) / name
        files = {
            f"{name}/{file.relative_to(source)}": file.read_text(encoding="utf-8") for file in source.rglob("*.py")
        }
        archives.append(tiny.wheel(folder, name, {**files, "LICENSE": "see there"}))
    return vendored(ROOT, archives)


def test_all_that_it_imports_is_there(real: Vendored, tmp_path: Path) -> None:
    names = ("aiohttp", "ecdsa", "websockets", "yarl")
    wheels: Tree = {f"wheels/{name}": tiny.wheel(tmp_path, name, {f"{name}.py": ""}).read_bytes() for name in names}
    assert list(problems({**real.files, **wheels}, real.left_out)) == []


async def test_it_discovers_under_any_name(real: Vendored, mock_backend: StartMockBackend, tmp_path: Path) -> None:
    package = tmp_path / "bl_ext_of_a_test" / "any_repository" / "our_name"
    for place, content in real.files.items():
        tiny.put(package / place, content.decode())
    backend = await mock_backend("comfyui")
    settings = tmp_path / "config.toml"
    settings.write_text(f'[[services]]\nkind = "comfyui"\nurl = "{backend.url}"\n')
    result = await _run(str(tmp_path), _site("aiohttp"), str(settings), state=tmp_path / "state")
    left_out = [name for name, where in hybridisco._WHERE.items() if re.split("[.:]", where)[1] in LEFT_OUT]
    assert sorted(result["missing"]) == sorted(left_out)
    assert result["error"] == "None"
    assert "error" not in result["sources"].values()
    assert ["comfyui", backend.url, "online"] in result["services"]
    assert result["stopped"] is True
    assert result["outside"] == []
    assert result["inside"] == ["hybridisco", "zeroconf", "ifaddr"]
    assert result["level"] == 0  # zeroconf sets the level of its own logger only


async def _run(*arguments: str, state: Path) -> dict[str, Any]:
    """Run the script above with no module of this process's environment, and return what it prints."""
    command = (sys.executable, "-I", "-c", RUN, *arguments)
    env = {**os.environ, "HYBRIDISCO_STATE": str(state)}
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=env)
    out, err = await asyncio.wait_for(process.communicate(), 50)
    assert process.returncode == 0, err.decode()
    answer: dict[str, Any] = json.loads(out)
    return answer


def _site(module: str) -> str:
    """Return the folder in which a module is installed."""
    spec = find_spec(module)
    assert spec and spec.origin
    return str(Path(spec.origin).parents[1])
