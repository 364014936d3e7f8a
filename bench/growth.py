"""How cost grows: ``python -m bench.growth [--rounds 3] [--json]``; writes plots, ``docs/growth-….png``.

Time, packets, CPU and memory of one cold browse, in a process of its own each time: against 1 … 3000 services on one
host, and against 1 … 50 hosts that have 1000 services together. Says from where on a cost grows faster than what there
is to find. Of more services than our table holds, a browse is done when the table is full.

Plots need matplotlib: ``pip install 'hybridisco[bench]'``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from bench import machine
from bench.measure import Sample
from bench.packets import packets
from bench.place import place
from bench.responders import by_zeroconf
from bench.rows.lan import PAUSE_S
from bench.worker import worker
from hybridisco.sources.table import INSTANCE_LIMIT

SERVICES = (1, 3, 10, 30, 100, 300, 1000, 2000, 3000)
HOSTS = (1, 2, 5, 10, 20, 50)
ON_HOSTS = 1000
QUANTITIES = {"ms": "time, ms", "packets": "packets", "cpu_ms": "CPU, ms", "mib": "memory, MiB more"}
#: From one size to the next a cost may grow by this power of it; beyond, it is not linear any more. Small costs are
#: mostly what there is in any case, and never count.
STEEP = 1.25
_DOCS = Path(__file__).parents[1] / "docs"
_LIMIT_S = 10.0

Point = tuple[int, Sample]


def main() -> int:
    """Measure, plot, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most", type=int, default=SERVICES[-1], help="services at the most")
    parser.add_argument("--json", action="store_true", help="print JSON")
    wanted = parser.parse_args()
    by_services = [(n, _measure(1, n, wanted.rounds)) for n in SERVICES if n <= wanted.most]
    total = min(ON_HOSTS, wanted.most)
    by_hosts = [(n, _measure(n, total, wanted.rounds)) for n in HOSTS if n <= total]
    facts = {"machine": machine.facts(), "services": by_services, f"hosts of {total} services": by_hosts}
    if wanted.json:
        print(json.dumps(facts, indent=1))
    else:
        _print("services", by_services)
        _print(f"hosts, {total} services in all", by_hosts)
    for quantity, words in QUANTITIES.items():
        point = bend(by_services, quantity)
        where = "is linear or better up to the end" if point is None else f"grows faster than linear from {point} on"
        print(f"{words}: {where}", file=sys.stderr)
    _plot(by_services, "services on one host", _DOCS / "growth-services.png")
    _plot(by_hosts, f"hosts, {total} services in all", _DOCS / "growth-hosts.png")
    return 0


def _measure(hosts: int, services: int, rounds: int) -> Sample:
    """Return the medians of some cold browses, each by a new process."""
    print(f"{services} services on {hosts} …", file=sys.stderr, flush=True)
    expected = min(services, INSTANCE_LIMIT)  # what is beyond is left out, and counted
    samples: list[Sample] = []
    with place(hosts) as here, by_zeroconf(services, here.boxes), packets(here.desk) as count:
        for _ in range(rounds):
            time.sleep(PAUSE_S)
            with ExitStack() as stack:
                ours = worker(here.desk, "bench.inside.lan:browse", expected=expected, limit_s=_LIMIT_S)
                samples.append(count.of(stack.enter_context(ours))())
    quantities = ("first", "lost", *QUANTITIES)
    return {key: median(sample[key] for sample in samples) for key in quantities}


def bend(points: Sequence[Point], quantity: str, least: float = 10.0) -> int | None:
    """Return the size from which on a cost grows faster than linear, for all the rest; None if it does not.

    :param least: costs below are not looked at.
    """
    found = None
    for (size, sample), (larger, more) in itertools.pairwise(points):
        before, after = sample[quantity], more[quantity]
        steep = before >= least and math.log(after / before) / math.log(larger / size) > STEEP
        found = (found or size) if steep else None
    return found


def _print(what: str, points: Sequence[Point]) -> None:
    print(f"{what:>30}  " + "  ".join(f"{words:>16}" for words in ("first, ms", *QUANTITIES.values(), "lost")))
    for size, sample in points:
        print(f"{size:30}  " + "  ".join(f"{sample[key]:16.1f}" for key in ("first", *QUANTITIES, "lost")))


def _plot(points: Sequence[Point], label: str, path: Path) -> None:
    try:
        import matplotlib
    except ImportError:
        print("No plots: matplotlib is not installed; pip install 'hybridisco[bench]'", file=sys.stderr)
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(9, 6), layout="constrained")
    sizes = [size for size, _ in points]
    for axis, (quantity, words) in zip(axes.flat, QUANTITIES.items(), strict=True):
        axis: Any
        values = [max(sample[quantity], 0.05) for _, sample in points]
        axis.loglog(sizes, values, marker="o", label="measured")
        axis.loglog(sizes, [values[-1] * size / sizes[-1] for size in sizes], linestyle=":", label="linear")
        axis.set(xlabel=label, title=words, ylim=(min(values) / 2, max(values) * 2))
        axis.grid(visible=True, alpha=0.3)
        if (point := bend(points, quantity)) is not None:
            axis.axvline(point, color="tab:red", alpha=0.5, label=f"steeper from {point} on")
        if sizes[-1] > INSTANCE_LIMIT:
            axis.axvline(INSTANCE_LIMIT, color="gray", linestyle="--", label=f"more than {INSTANCE_LIMIT} are left out")
        axis.legend()
    figure.savefig(path, dpi=110)
    print(f"written: {path}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
