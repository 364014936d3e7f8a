"""Whole programs: `--help`, and `list --source probe` with nothing and with five services on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from bench.goal import OURS, Goal, Row, compared
from bench.measure import Contender, Sample
from bench.peers.programs import argparse_help, nmap, python_connects, python_imports, python_pass
from bench.place import FIVE, place, probed_ports, services
from bench.program import program
from tests.e2e.app import command

_PASS, _ARGPARSE, _NMAP, _AIOHTTP = "python -c pass", "argparse --help", "nmap -sT", 'python -c "import aiohttp"'
_CONNECTS = "connects in Python"


def rows() -> list[Row]:
    """The rows of the goals."""
    return [
        Row(
            "list-nothing",
            "list --source probe, nothing open",
            partial(_probe, ()),
            (Goal("≤ 1 × nmap -sT", 1.0, _NMAP),),
            floor=_CONNECTS,
            needs=("nmap",),
            rounds=11,
        ),
        Row(
            "list-5",
            "list --source probe, 5 services",
            partial(_probe, FIVE),
            (Goal('≤ 1.25 × "import aiohttp"', 1.25, _AIOHTTP), compared(_NMAP)),
            floor=_CONNECTS,
            needs=("nmap",),
            rounds=11,
            pause_s=0.05,
        ),
        Row(
            "help",
            "--help",
            _help,
            (Goal("≤ 3 × python -c pass", 3.0, _PASS), compared(_ARGPARSE)),
            floor=_PASS,
            rounds=15,
        ),
    ]


@contextmanager
def _help() -> Iterator[Mapping[str, Contender]]:
    with place() as here:
        ours = program(here.desk, command("--help"))
        yield {OURS: ours, _PASS: python_pass(here.desk), _ARGPARSE: argparse_help(here.desk)}


@contextmanager
def _probe(kinds: Sequence[tuple[str, int]]) -> Iterator[Mapping[str, Contender]]:
    ports, wanted = probed_ports(), len(kinds)
    with place() as here, services(here.desk, ("127.0.0.1",), kinds):

        def read(output: str) -> Sample:
            found = output.count("online  ")
            if found != wanted:
                raise ValueError(f"{found} services were found, and not {wanted}:\n{output}")
            return {"found": float(found)}

        listing = command("list", "--source", "probe")
        yield {
            OURS: program(here.desk, listing, read=read, fine=(0,) if wanted else (1,)),
            _NMAP: nmap(here.desk, ports),
            _AIOHTTP: python_imports(here.desk, "aiohttp"),
            _CONNECTS: python_connects(here.desk, ports),
        }
