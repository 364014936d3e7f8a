"""A name without an address: certain only where the system's resolver has the last word."""

from __future__ import annotations

import pytest

from hybridisco.doctor.judge import names
from hybridisco.doctor.report import Likelihood


def test_a_name_of_the_dns_is_certainly_unknown() -> None:
    _, likelihood, title, _, _ = names.unknown("gpu.example.org")
    assert (likelihood, title) == (Likelihood.CERTAIN, "The name gpu.example.org is not known")


@pytest.mark.parametrize("name", ["gpu-box.local", "GPU-Box.LOCAL."])
def test_a_name_that_only_mdns_tells_may_be_right_all_the_same(name: str) -> None:
    _, likelihood, title, why, fix = names.unknown(name)
    assert (likelihood, title) == (Likelihood.LIKELY, f"This machine cannot look up {name}")
    assert "misspelt" in why
    assert "libnss-mdns" in fix
