"""How cost grows: ``python -m bench.growth [--rounds 3] [--json]`` (needs root; about three minutes).

Time, packets, CPU and memory of one cold browse, in a process of its own each time: against 1 … 3000 services on one
host, and against 1 … 50 hosts that have 1000 services together. Says from where on a cost grows faster than what there
is to find.

Writes the plots docs/growth-services.png and docs/growth-hosts.png. They need matplotlib:
``pip install 'hybridisco[bench]'``.
"""

from __future__ import annotations

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
from bench.options import at_least_one, parser
from bench.packets import packets
from bench.place import place
from bench.responders import by_zeroconf
from bench.rows.lan import PAUSE_S
from bench.worker import worker
from hybridisco.sources.table import INSTANCE_LIMIT

SERVICES = (1, 3, 10, 30, 100, 300, 1000, 2000, 3000)
HOSTS = (1, 2, 5, 10, 20, 50)
ON_HOSTS = 1000
QUANTITIES = {"ms": "time, ms", "packets": "packets", "cpu_ms": "CPU, ms", "mib": "memory added, MiB"}
#: From one size to the next a cost may grow by this power of it; beyond, it is not linear any more. Small costs are
#: mostly what there is in any case, and never count.
STEEP = 1.25
_DOCS = Path(__file__).parents[1] / "docs"
_LIMIT_S = 10.0

Point = tuple[int, Sample]


def main(arguments: list[str] | None = None) -> int:
    """Measure, plot, and tell; 2 where nothing can be measured."""
    options = parser("python -m bench.growth", __doc__ or "")
    rounds = "browses of each size, of which the median counts (default: %(default)s)"
    options.add_argument("--rounds", type=at_least_one, default=3, help=rounds)
    most = "leave out what is larger than so many services (default: %(default)s)"
    options.add_argument("--most", type=at_least_one, default=SERVICES[-1], help=most)
    options.add_argument("--json", action="store_true", help="print JSON")
    wanted = options.parse_args(arguments)
    if reason := machine.unfit():
        print(f"Nothing can be measured here: {reason}", file=sys.stderr)
        return 2
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


def plain(value: float, _position: int | None = None) -> str:
    """Return the label of a place on an axis: 2000, and not 2 × 10³."""
    return f"{value:.12g}"


def _plot(points: Sequence[Point], label: str, path: Path) -> None:
    try:
        import matplotlib
    except ImportError:
        print("No plots: matplotlib is not installed; pip install 'hybridisco[bench]'", file=sys.stderr)
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    figure, axes = pyplot.subplots(2, 2, figsize=(9, 6), layout="constrained")
    sizes = [size for size, _ in points]
    for axis, (quantity, words) in zip(axes.flat, QUANTITIES.items(), strict=True):
        axis: Any
        values = [max(sample[quantity], 0.05) for _, sample in points]
        axis.loglog(sizes, values, marker="o", label="measured")
        axis.loglog(sizes, [values[-1] * size / sizes[-1] for size in sizes], linestyle=":", label="linear")
        axis.set(xlabel=label, title=words, ylim=(min(values) / 2, max(values) * 2))
        for ruler, shown in ((axis.xaxis, sizes), (axis.yaxis, values)):
            wide = max(shown) > 100 * min(shown)
            ruler.set_major_locator(LogLocator(subs=(1, 3) if wide else (1, 2, 5)))  # what there is room for
            ruler.set_major_formatter(FuncFormatter(plain))
            ruler.set_minor_locator(NullLocator())
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
