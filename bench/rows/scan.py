"""Which ports listen here: ours in process, against a C loop in process and nmap, a whole process for each family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from bench.goal import OURS, Goal, Row
from bench.measure import Contender
from bench.peers.programs import c_loop, nmap
from bench.place import listeners, place, probed_ports
from bench.worker import worker

C_LOOP, NMAP = "C loop", "nmap -sT"


def rows() -> list[Row]:
    """The row of the goals, and the same with more open."""
    ports = probed_ports()
    return [_row(number, len(ports)) for number in (5, 0, 20, len(ports))]


def _row(number: int, ports: int) -> Row:
    shown = "all" if number == ports else str(number)
    goals = (Goal("≤ 2 × the C loop", 2.0, C_LOOP), Goal("≤ 1 × nmap -sT", 1.0, NMAP))
    return Row(
        f"scan-{shown}",
        f"scan {2 * ports} endpoints, in process, {shown} open",
        partial(_setup, number),
        goals,
        floor=C_LOOP,
        needs=("nmap", "cc"),
        rounds=15,
        family="goals" if number == 5 else "sizes",
    )


@contextmanager
def _setup(number: int) -> Iterator[Mapping[str, Contender]]:
    ports = probed_ports()
    with place() as here, listeners(here.desk, number, ports), ExitStack() as stack:
        ours = stack.enter_context(worker(here.desk, "bench.inside.scan:scan", ports=ports))
        yield {OURS: ours, C_LOOP: c_loop(here.desk, ports), NMAP: nmap(here.desk, ports)}
