"""What `import hybridisco.testing` gives, and costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hybridisco.testing import MOCK_KINDS


@pytest.mark.parametrize("module", ["hybridisco.testing", "hybridisco.testing.fixtures"])
def test_importing_loads_no_http_library(module: str) -> None:
    code = f"import sys, {module}; print([m for m in ('aiohttp', 'websockets', 'zeroconf') if m in sys.modules])"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "[]"


def test_the_public_names_are_there() -> None:
    import hybridisco.testing

    assert set(dir(hybridisco.testing)) >= {"FAULTS", "MOCK_KINDS", "MockBackend"}
    assert MOCK_KINDS == ("comfyui", "wan2gp", "litellm", "rvc", "audioldm")
    with pytest.raises(AttributeError, match="no attribute 'Mock'"):
        hybridisco.testing.Mock  # noqa: B018
