"""Ours against its peers: ``python -m bench`` (needs root). It makes hosts, backends, sidecars and Avahis by itself."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from bench import machine, rows, table
from bench.goal import Row
from bench.measure import interleave
from bench.table import Result
from tests.lab.net import LabError, lab_available

RESULTS = Path(__file__).with_name("RESULTS.md")
_QUICK_ROUNDS = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the rows; 1 if a goal was missed, 2 where nothing can be measured."""
    every = rows.every()
    wanted = _parser(every).parse_args(arguments)
    chosen = _chosen(every, wanted)
    if not chosen:
        print("There is no such row. The rows are:", *(f"  {row.name:24} {row.headline}" for row in every), sep="\n")
        return 2
    if wanted.list:
        print(*(f"{row.family:6} {row.name:24} {row.headline}" for row in chosen), sep="\n")
        return 0
    if reason := lab_available():
        print(f"Nothing can be measured here: {reason}", file=sys.stderr)
        return 2
    facts = machine.facts()
    results = []
    for number, row in enumerate(chosen, 1):
        began = time.monotonic()
        print(f"[{number}/{len(chosen)}] {row.headline} …", end="", file=sys.stderr, flush=True)
        results.append(run(row))
        print(f" {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    if wanted.json:
        print(json.dumps(table.as_json(results, facts), indent=1, ensure_ascii=False))
    else:
        print(table.as_text(results, facts))
    if wanted.write:
        command = " ".join(["python -m bench", *(sys.argv[1:] if arguments is None else arguments)])
        RESULTS.write_text(table.as_markdown(results, facts, command), encoding="utf-8")
    return 0 if all(result.met for result in results) else 1


def run(row: Row) -> Result:
    """Measure one row, or say why it cannot be."""
    if lacking := machine.missing(row.needs):
        return Result(row, skipped=lacking)
    try:
        with row.setup() as contenders:
            return Result(row, interleave(contenders, row.rounds, pause_s=row.pause_s, warm_up=row.warm_up))
    except (LabError, OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"\n{row.name}: {error}", file=sys.stderr)
        return Result(row, skipped=f"failed: {type(error).__name__}: {str(error).splitlines()[0][:160]}")


def _parser(every: list[Row]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="a row, or all whose name begins so")
    parser.add_argument("--family", action="append", choices=sorted({row.family for row in every}))
    parser.add_argument("--rounds", type=int, help="runs of each contender")
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK_ROUNDS} rounds, to see that it works")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    parser.add_argument("--list", action="store_true", help="say which rows there are")
    return parser


def _chosen(every: list[Row], wanted: argparse.Namespace) -> list[Row]:
    """Return the rows that are wanted: all but the slow ones, if nothing was said."""
    chosen = [row for row in every if row.family in wanted.family] if wanted.family else every
    if wanted.only:
        chosen = [row for row in chosen if any(row.name.startswith(name) for name in wanted.only)]
        exact = [row for row in chosen if row.name in wanted.only]
        chosen = exact if len(exact) == len(wanted.only) else chosen
    elif not wanted.family:
        chosen = [row for row in chosen if row.family != "slow"]
    rounds = wanted.rounds or (_QUICK_ROUNDS if wanted.quick else None)
    return [dataclasses.replace(row, rounds=rounds) for row in chosen] if rounds else chosen


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else our programs would be compiled at each start
    sys.exit(main())
