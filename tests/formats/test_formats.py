"""The list of formats."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hybridisco.core.errors import UsageError
from hybridisco.core.model import Snapshot
from hybridisco.formats import FORMATS, render
from tests.formats.samples import TYPICAL


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_draws_nothing_and_something(name: str) -> None:
    render(name, Snapshot())
    assert TYPICAL.services[0].url.removeprefix("http://") in render(name, TYPICAL)


def test_an_unknown_format() -> None:
    with pytest.raises(UsageError, match="Allowed: table, json"):
        render("yaml", TYPICAL)


def test_the_list_of_formats_does_not_load_rich() -> None:
    code = "import sys, hybridisco.formats; print('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
