"""What the system's errors amount to."""

from __future__ import annotations

import errno

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from hybridisco.core import problems
from hybridisco.sources import causes

KEY = ConnectionKey("gpu-box", 80, False, True, None, None, None)


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.ECONNREFUSED, problems.REFUSED),
        (errno.ECONNRESET, problems.RESET),
        (errno.ENETUNREACH, problems.UNROUTABLE),
        (errno.EMFILE, problems.NO_FILES),
        (errno.ENFILE, problems.NO_FILES),
        (errno.EACCES, problems.DENIED),
        (errno.ENOENT, problems.UNROUTABLE),
    ],
)
def test_an_error_has_a_cause_also_inside_a_librarys(number: int, cause: str) -> None:
    error = OSError(number, "words")
    assert causes.of(error) == cause
    assert causes.of(aiohttp.ClientConnectorError(KEY, error)) == cause
    assert causes.is_out_of_files(error) is (cause == problems.NO_FILES)


def test_an_error_without_a_number_is_no_lack_of_files() -> None:
    assert causes.of(OSError("words")) == problems.UNROUTABLE
    assert not causes.is_out_of_files(OSError("words"))
    assert not causes.is_out_of_files(ValueError("words"))
