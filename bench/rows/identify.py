"""What listens here, by its answers: in process, the five that Hybridisco is made for; beside hostile servers too.

Each sample is a process's first look, its imports paid for: so does a search that is made once. Not for the first time
everybody is faster, asyncio most of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from bench.goal import OURS, Goal, Row, compared
from bench.measure import Contender
from bench.peers.programs import nmap
from bench.place import FIVE, place, probed_ports, services
from bench.worker import fresh, worker
from hybridisco.config import load
from tests.e2e.backends import LOOPBACK
from tests.lab.net import python

_GATHER, _AIOHTTP, _EPOLL, _CLEAN = "asyncio gather", "aiohttp gather", "one epoll loop", "clean run"
_IPV4 = ("127.0.0.1",)


def rows() -> list[Row]:
    """The rows of the goals; the same with both families, with more, and nmap's own attempt."""
    deadline_ms = load().probe_timeout_s * 1000
    ends = Goal(f"≤ the deadline of {deadline_ms:.0f} ms + 5 %", deadline_ms * 1.05, of="end", worst=True)
    return [
        _row("identify-5", "identify 5 services, in process", FIVE, _IPV4, "goals"),
        Row(
            "identify-hostile",
            "identify 5 services beside a tarpit, a drip and a reset",
            _hostile,
            (Goal("≤ 1.5 × the clean run", 1.5, _CLEAN, of="good"), ends),
            rounds=5,
            pause_s=0.2,
        ),
        _row("identify-5-again", "identify 5 services, in process, not for the first time", FIVE, _IPV4, "sizes", True),
        _row("identify-5-both", "identify 5 services at both families, in process", FIVE, LOOPBACK, "sizes"),
        _row("identify-20", "identify 20 services, in process", _many(20), _IPV4, "sizes"),
        _row("identify-all", "identify with all ports open, in process", _many(len(probed_ports())), _IPV4, "sizes"),
        Row(
            "identify-nmap",
            "identify 5 services beside a tarpit, a drip and a reset, against nmap -sV",
            partial(_hostile, with_nmap=True),
            (compared("nmap -sV", of="end"),),
            needs=("nmap",),
            rounds=1,
            warm_up=False,
            family="slow",
        ),
    ]


def _many(number: int) -> list[tuple[str, int]]:
    """Return the five, and plain web servers at so many ports that it is ``number`` in all."""
    home = [port for _, port in FIVE]
    return [*FIVE, *(("web", port) for port in probed_ports() if port not in home)][:number]


def _row(
    name: str,
    headline: str,
    kinds: Sequence[tuple[str, int]],
    listen: Sequence[str],
    family: str,
    again: bool = False,
) -> Row:
    goals = (Goal("≤ 0.4 × asyncio gather", 0.4, _GATHER), Goal("≤ 0.2 × aiohttp gather", 0.2, _AIOHTTP))
    if family != "goals":
        goals = (compared(_GATHER), compared(_AIOHTTP))
    setup = partial(_setup, tuple(kinds), tuple(listen), again=again)
    return Row(name, headline, setup, goals, floor=_EPOLL, rounds=9, pause_s=0.05, family=family)


@contextmanager
def _setup(
    kinds: Sequence[tuple[str, int]], listen: Sequence[str], *, again: bool
) -> Iterator[Mapping[str, Contender]]:
    ports = probed_ports()
    with place() as here, services(here.desk, listen, kinds), ExitStack() as stack:
        expected = len(kinds) * len(listen)
        start: dict[str, tuple[str, dict[str, object]]] = {
            OURS: ("bench.inside.scan:identify", {"expected": expected}),
            _GATHER: ("bench.peers.gather:streams", {"ports": ports}),
            _AIOHTTP: ("bench.peers.gather:naive_aiohttp", {"ports": ports}),
            _EPOLL: ("bench.peers.gather:epoll", {"ports": ports}),
        }
        if again:
            yield {name: stack.enter_context(worker(here.desk, what, **how)) for name, (what, how) in start.items()}
        else:
            yield {name: fresh(here.desk, what, **how) for name, (what, how) in start.items()}


@contextmanager
def _hostile(*, with_nmap: bool = False) -> Iterator[Mapping[str, Contender]]:
    with place() as here, services(here.desk, _IPV4), ExitStack() as stack:
        hostile = here.desk.start(python("-m", "bench.inside.hostile"))
        hostile.wait_for_log("ready", 20)
        more = [int(port) for port in hostile.log.split()[1:]]
        bad = stack.enter_context(worker(here.desk, "bench.inside.scan:identify", expected=len(FIVE), more=more))
        contenders: dict[str, Contender] = {OURS: _with_end(bad)}
        if with_nmap:
            contenders["nmap -sV"] = _with_end(nmap(here.desk, (*probed_ports(), *more), "-sV"))
        else:
            good = stack.enter_context(worker(here.desk, "bench.inside.scan:identify", expected=len(FIVE)))
            contenders[_CLEAN] = _with_end(good)
        yield contenders


def _with_end(contender: Contender) -> Contender:
    """Return the same contender, its ``ms`` told as ``end`` too."""

    def measure() -> dict[str, float]:
        sample = contender()
        return {**sample, "end": sample["ms"]}

    return measure
