"""A hostile neighbour, and hostile programs on this machine: the list is right about all others, in time."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import unicodedata
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from hybridisco.testing import MOCK_KINDS, MockBackend
from tests.e2e.app import command, listed
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio
from tests.lab.hostile import HOSTILE, tls_available, tls_only
from tests.lab.net import python

MEMORY_LIMIT_KIB = 150 * 1024
TIME_LIMIT_S = 5.0

#: Runs a program, and says at the end of stderr how much memory it took at most, in KiB.
_WEIGH = """\
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.netns
def test_a_liar_on_the_lan_is_neither_dialled_nor_believed(studio: Studio, backends: Backends) -> None:
    at_home = backends(studio.desk, "comfyui", 8188, "127.0.0.1")
    for port in (8188, 8189):
        backends(studio.gpu_box, "comfyui", port)
    studio.gpu_box.start(python("-m", "tests.e2e.liar", "10.77.0.1")).wait_for_log("ready", 10)
    document = listed(studio.desk, "--source", "mdns", "--all")
    found = {one["name"]: one for one in document["services"]}
    assert set(found) == {"half", "[31mredgnp.exe"}
    assert {one["url"] for one in found.values()} == {"http://10.77.0.1:8188", "http://10.77.0.1:8189"}
    assert {end["address"] for one in found.values() for end in one["endpoints"]} == {"10.77.0.1"}
    dirty = found["[31mredgnp.exe"]
    assert dirty["kind"] == "comfyui"  # by contact: it claims none that there can be
    assert dirty["version"] == "0.3.64"
    assert not {"gpu", "vram_mib"} & {key for key, value in dirty["properties"].items() if len(str(value)) > 80}
    assert "dropped" in document["sources"]["mdns"]["detail"]
    text = json.dumps(document, ensure_ascii=False)
    assert {unicodedata.category(char) for char in text} <= {
        "Ll",
        "Lu",
        "Nd",
        "Po",
        "Ps",
        "Pe",
        "Zs",
        "Pd",
        "Pc",
        "Sm",
        "So",
    }
    assert at_home.mock.requests == []
    table = studio.desk.run(command("list", "--source", "mdns", "--all")).stdout
    assert not {char for char in table if unicodedata.category(char) in ("Cc", "Cf")} - {"\n"}


async def test_hostile_programs_on_this_machine_hide_nobody(tmp_path: Path) -> None:
    async with AsyncExitStack() as running:
        servers = [*HOSTILE.values(), *([] if tls_available() else [tls_only])]
        hostile = [await running.enter_async_context(server()) for server in servers]
        mocks = [await running.enter_async_context(MockBackend(kind)) for kind in MOCK_KINDS]
        ports = ", ".join(f'"{port}"' for port in (*hostile, *(mock.port for mock in mocks)))
        config = tmp_path / "config.toml"
        config.write_text(f"[probe]\nports = [{ports}]\n", "utf-8")
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _WEIGH, *command("list", "--json", "--all"),
            env={"HYBRIDISCO_CONFIG": str(config), "HOME": str(tmp_path)},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        took_s = time.monotonic() - started
    document = json.loads(out)
    by_port = {one["endpoints"][0]["port"]: one for one in document["services"]}
    for mock in mocks:
        one = by_port.pop(mock.port)
        assert (one["kind"], one["status"], one["verified"]) == (mock.kind, "online", True)
        assert mock.paid_calls == 0
    assert {one["kind"] for one in by_port.values()} <= {"http"}, "a hostile server was named"
    assert document["elapsed_s"] < TIME_LIMIT_S + 0.5  # the servers here keep both cores busy
    assert took_s < TIME_LIMIT_S + 2  # Python and its imports
    assert int(err.split()[-1]) < MEMORY_LIMIT_KIB
