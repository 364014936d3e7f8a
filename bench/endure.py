"""Memory that does not grow: ``python -m bench.endure [--flood 600] [--scans 1000]``.

First a watching process stands in a flood (10,000 packets a second of 100,000 instances that do not exist, under a
hundred forged addresses, beside two real services) for ``--flood`` seconds. Then a process searches ``--scans`` times:
this machine, a named host and the LAN, with five services. What is printed: memory and descriptors on the way, and the
slope of the memory with its standard error; "flat" means that zero lies within two of these, or that it is below 0.05.
"""

from __future__ import annotations

import json
import re
import sys
import time
from contextlib import ExitStack
from typing import Any

from bench import machine
from bench.options import parser
from bench.usage import slope, usage
from tests.e2e.app import Watch, announced
from tests.e2e.backends import Backends
from tests.lab.net import Host, Lab, python
from tests.lab.process import Process

_KINDS = (("comfyui", 8188), ("wan2gp", 7860), ("litellm", 4000), ("rvc", 7865), ("audioldm", 7863))
_SETTLED_S = 60.0  # what is measured begins after the first minute, as ../shared/performance.md has it
_EVERY_S = 5.0
_RATE, _FORGED = 10_000, 100

# Searches again and again; says its memory after each twentieth time.
_SEARCHES = """
import asyncio, sys
import hybridisco
from bench.usage import usage

async def main(times):
    config = hybridisco.make_config({"probe": {"hosts": ["localhost", "gpu-box"]}})
    async with hybridisco.ServiceDiscoveryManager(config) as manager:
        await manager.discover_all_services()
        for number in range(1, times + 1):
            manager.rescan()
            found = await manager.discover_all_services(10)
            if number % 20 == 0:
                print(number, *usage("self"), len(asyncio.all_tasks()), len(found), flush=True)

asyncio.run(main(int(sys.argv[1])))
"""


def main() -> int:
    """Run both, and print one JSON document; 2 where nothing can be measured."""
    options = parser("python -m bench.endure", __doc__ or "")
    flood = "seconds in the flood; 0: leave it out (default: %(default)s)"
    options.add_argument("--flood", type=float, default=600.0, help=flood)
    scans = "searches; 0: leave them out (default: %(default)s)"
    options.add_argument("--scans", type=int, default=1000, help=scans)
    wanted = options.parse_args()
    if reason := machine.unfit():
        print(f"Nothing can be measured here: {reason}", file=sys.stderr)
        return 2
    facts: dict[str, Any] = {}
    with ExitStack() as stack:
        lab, backends = stack.enter_context(Lab()), stack.enter_context(Backends())
        lan = lab.lan("10.77.0.0/24", "fd77::/64")
        box, desk, mallory = lab.host("gpu-box"), lab.host("desk"), lab.host("mallory")
        for host in (box, desk, mallory):
            lan.join(host)
        for kind, port in _KINDS:
            backends(box, kind, port)
        announced(box, "comfyui", 8188)
        announced(box, "rvc", 7865)
        if wanted.flood:
            facts["flood"] = _flood(desk, mallory, wanted.flood)
        if wanted.scans:
            facts["scans"] = _scans(desk, wanted.scans)
    print(json.dumps(facts, indent=1))
    return 0 if all(part["flat"] for part in facts.values()) else 1


def _flood(desk: Host, mallory: Host, seconds: float) -> dict[str, Any]:
    watch = Watch(desk)
    watch.until_online(2)
    command = [
        "-m",
        "tests.attacks.flood",
        "instances",
        str(mallory.interfaces[0].ipv4),
        str(seconds),
        str(_RATE),
        str(_FORGED),
    ]
    flood = mallory.start(python(*command))
    flood.wait_for_log("ready", 60)
    began, samples = time.monotonic(), []
    while flood.running:
        time.sleep(_EVERY_S)
        samples.append((time.monotonic() - began, *usage(str(watch.process.popen.pid))))
    real = sorted(one["status"] for one in watch.services if not one["name"].startswith("fake"))
    sent = re.search(r"sent (\d+) in ([\d.]+) s", flood.log)
    settled = [sample for sample in samples if sample[0] > min(_SETTLED_S, seconds / 2)]
    return {
        "packets": sent[0] if sent else flood.log[-200:],
        "real services": real,
        **slope([(at / 60, memory) for at, memory, _ in settled], "MiB a minute"),
        "descriptors": [settled[0][2], settled[-1][2]],
    }


def _scans(desk: Host, times: int) -> dict[str, Any]:
    (desk.directory / "etc" / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n10.77.0.1 gpu-box\n", "ascii")
    searching: Process = desk.start(python("-c", _SEARCHES, str(times)))
    searching.popen.wait()
    rows = [[float(word) for word in line.split()] for line in searching.log.splitlines() if line[:1].isdigit()]
    if not rows:
        raise SystemExit(searching.log)
    settled = rows[len(rows) // 5 :]
    return {
        "searches": int(rows[-1][0]),
        "services found each time": sorted({int(row[4]) for row in rows}),
        **slope([(row[0] / 100, row[1]) for row in settled], "MiB a hundred searches"),
        "descriptors": [int(settled[0][2]), int(settled[-1][2])],
        "tasks": [int(settled[0][3]), int(settled[-1][3])],
    }


if __name__ == "__main__":
    sys.exit(main())
