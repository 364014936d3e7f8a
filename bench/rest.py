"""Memory and CPU at rest: ``python -m bench.rest [--seconds 600] [--services 100]`` (needs root).

A manager keeps its registry true while nothing happens: so many backends announced on another host, all online, and a
sweep of this machine every 5 s. What is printed, as JSON: the slope of the memory after the first minute, descriptors,
tasks, threads, and how much of a core it takes. Exit status 1: something grows, or not all are online at the end; 2:
nothing can be measured.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack
from typing import Any

from bench import machine
from bench.options import at_least_one, parser
from bench.place import place
from bench.responders import FIRST_PORT, by_zeroconf
from bench.usage import slope
from tests.e2e.backends import Backends
from tests.lab.net import python

_SETTLED_S = 60.0  # what is measured begins after the first minute, as ../shared/performance.md has it
_RESCAN_S = 5.0
_EVERYWHERE = ("0.0.0.0", "::")


def main(arguments: list[str] | None = None) -> int:
    """Run it."""
    options = parser("python -m bench.rest", __doc__ or "")
    seconds = "how long it rests; the first minute, or third, does not count (default: %(default)s)"
    options.add_argument("--seconds", type=at_least_one, default=600, help=seconds)
    services = "backends that are announced (default: %(default)s)"
    options.add_argument("--services", type=at_least_one, default=100, help=services)
    wanted = options.parse_args(arguments)
    if reason := machine.unfit():
        print(f"Nothing can be measured here: {reason}", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        here, backends = stack.enter_context(place(1)), stack.enter_context(Backends())
        for number in range(wanted.services):
            backends(here.boxes[0], "comfyui", FIRST_PORT + number, _EVERYWHERE)
        stack.enter_context(by_zeroconf(wanted.services, here.boxes))
        resting = here.desk.start(python("-m", "bench.inside.rest", str(_RESCAN_S)))
        end = time.monotonic() + wanted.seconds
        while resting.running and time.monotonic() < end:
            time.sleep(1.0)
        log, running = resting.log, resting.running
    samples = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    if not running or not samples:
        print(f"It has ended:\n{log[-2000:]}", file=sys.stderr)
        return 1
    facts = summary(samples, min(_SETTLED_S, wanted.seconds / 3))
    print(json.dumps(facts, indent=1))
    return 0 if facts["flat"] and facts["no growth"] and facts["online"] == wanted.services else 1


def summary(samples: list[dict[str, Any]], settled_s: float) -> dict[str, Any]:
    """Return what the samples amount to, from ``settled_s`` on."""
    settled = [sample for sample in samples if sample["s"] >= settled_s]
    first, last = settled[0], settled[-1]
    counted = {key: [first[key], last[key]] for key in ("descriptors", "tasks", "threads")}
    half = len(settled) // 2
    grows = any(
        min(sample[key] for sample in settled[half:]) > max(sample[key] for sample in settled[:half]) for key in counted
    )
    return {
        "seconds": round(last["s"]),
        **slope([(sample["s"] / 60, sample["mib"]) for sample in settled], "MiB a minute"),
        **counted,
        "no growth": not grows,
        "cpu, percent of a core": round(100 * (last["cpu_s"] - first["cpu_s"]) / (last["s"] - first["s"]), 2),
        "services": last["services"],
        "online": last["online"],
    }


if __name__ == "__main__":
    sys.exit(main())
