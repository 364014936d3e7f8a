"""Shell variables: the best service of each kind, quoted for a shell."""

from __future__ import annotations

import subprocess

from hybridisco.core.model import Endpoint, Status
from hybridisco.formats import render
from hybridisco.formats.env import variable
from tests.formats.samples import BUSY, GONE, TYPICAL, service, snapshot


def test_env_has_the_best_service_of_each_kind() -> None:
    slow = service(endpoints=(Endpoint("10.0.0.1", 1),), latency_ms=90.0)
    unmeasured = service(endpoints=(Endpoint("10.0.0.3", 1),), latency_ms=None)
    busy = service(endpoints=(Endpoint("10.0.0.2", 1),), latency_ms=0.1, status=Status.BUSY)
    text = render("env", snapshot(busy, unmeasured, slow, GONE))
    assert text == "HYBRIDISCO_COMFYUI_URL=http://10.0.0.1:1"


def test_env_is_what_a_shell_understands() -> None:
    text = render("env", TYPICAL)
    shown = subprocess.run(
        ["sh", "-c", f'{text}\nprintf %s "$HYBRIDISCO_WAN2GP_URL"'], capture_output=True, text=True, check=True
    )
    assert shown.stdout == BUSY.url


def test_env_names() -> None:
    assert variable("comfyui") == "HYBRIDISCO_COMFYUI_URL"
    assert variable("my-kind.2") == "HYBRIDISCO_MY_KIND_2_URL"
