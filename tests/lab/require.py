"""A test that needs more than this machine has: skipped for a developer, failed in CI."""

from __future__ import annotations

import os

import pytest


def require(missing: str | None) -> None:
    """Go on when nothing is ``missing``; else skip the test with that reason, or fail it when CI is set."""
    if missing is None:
        return
    if os.environ.get("CI"):
        pytest.fail(f"CI must have what its tests need: {missing}", pytrace=False)
    pytest.skip(missing)
