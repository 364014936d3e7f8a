"""Pytest fixtures of the lab; a conftest or test module imports the ones it wants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .net import Lab, lab_available
from .require import require

__all__ = ["lab"]


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab of its own for one test; the test is skipped (in CI: fails) where none can be made."""
    require(lab_available())
    with Lab() as made:
        yield made
