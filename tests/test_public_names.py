"""What `import hybridisco` costs and gives."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest

import hybridisco

DEPENDENCIES = ("zeroconf", "aiohttp", "websockets", "ifaddr", "netifaces", "rich", "click", "tomlkit", "platformdirs")


def in_a_process_of_its_own(code: str) -> object:
    """Run ``code`` in a fresh interpreter and return the JSON that it prints."""
    return json.loads(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("module", ["hybridisco", "hybridisco.thread", "hybridisco.core.model", "hybridisco.testing"])
def test_importing_loads_no_dependency(module: str) -> None:
    code = f"import sys, json, {module}; print(json.dumps([d for d in {DEPENDENCIES!r} if d in sys.modules]))"
    assert in_a_process_of_its_own(code) == []


def test_importing_loads_no_event_loop() -> None:
    code = "import sys, json, hybridisco; print(json.dumps([m for m in ('asyncio', 'ssl') if m in sys.modules]))"
    assert in_a_process_of_its_own(code) == []


@pytest.mark.parametrize("name", hybridisco.__all__)
def test_every_public_name_is_there_and_explained(name: str) -> None:
    value = getattr(hybridisco, name)
    if isinstance(value, type) or callable(value):
        documented = inspect.getdoc(value)
        assert documented and not documented.startswith(f"{name}("), "a dataclass's own docstring explains nothing"
    else:
        assert isinstance(value, str | bytes) and value


def test_dir_lists_them() -> None:
    assert dir(hybridisco) == sorted(hybridisco.__all__)
    assert len(set(hybridisco.__all__)) == len(hybridisco.__all__)


def test_what_type_checkers_see_is_what_there_is() -> None:
    assert set(hybridisco._WHERE) | {"__version__"} == set(hybridisco.__all__)


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        hybridisco.nonsense  # noqa: B018


def test_public_methods_are_explained() -> None:
    classes = [v for n in hybridisco.__all__ if inspect.isclass(v := getattr(hybridisco, n))]
    bare = [
        f"{cls.__name__}.{name}"
        for cls in classes
        for name, member in vars(cls).items()
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
        if not inspect.getdoc(member)
    ]
    assert bare == []


def test_the_module_names_its_main_parts() -> None:
    assert hybridisco.__doc__ is not None
    for name in ("ServiceDiscoveryManager", "DiscoveryThread", "ServiceRegistry", "Config", "HybridiscoError"):
        assert name in hybridisco.__doc__
