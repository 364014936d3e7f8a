"""Ours against its peers: ``python -m bench`` (needs root). It makes hosts, backends, sidecars and Avahis by itself."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from bench import machine, rows, table
from bench.goal import Row
from bench.measure import interleave
from bench.options import at_least_one, parser
from bench.stop import STATUS, stoppable
from bench.table import Result

RESULTS = Path(__file__).with_name("RESULTS.md")
_QUICK_ROUNDS = 2
_STATUSES = {
    "0": "every goal is met, or only skipped",
    "1": "a goal is missed, or a row has failed",
    "2": "nothing can be measured, there is no such row, or --only with --write",
    str(STATUS): "interrupted; what was measured before is printed",
}


def main(arguments: list[str] | None = None, every: Sequence[Row] | None = None) -> int:
    """Run the rows, those of the bench if no others are given, and return the exit status that ``--help`` explains."""
    every = rows.every() if every is None else every
    wanted = _parser().parse_args(arguments)
    if wanted.write and wanted.only:
        print(f"{RESULTS.name} holds whole families: --write goes with --family, and not with --only.", file=sys.stderr)
        return 2
    if unknown := [name for name in wanted.only or () if not any(row.name.startswith(name) for row in every)]:
        print(f"There is no row {', '.join(unknown)}. The rows are:", _listed(every), sep="\n")
        return 2
    chosen = _chosen(every, wanted)
    if not chosen:
        print("There is no such row in this family. The rows are:", _listed(every), sep="\n")
        return 2
    if wanted.list:
        print(_listed(chosen))
        return 0
    if reason := machine.unfit():
        print(f"Nothing can be measured here: {reason}", file=sys.stderr)
        return 2
    facts = machine.facts()
    results, interrupted = measure(chosen)
    if wanted.json:
        print(json.dumps(table.as_json(results, facts), indent=1, ensure_ascii=False))
    elif results:
        print(table.as_text(results, facts))
    if interrupted:
        kept = f"; {RESULTS.name} is left as it was" if wanted.write else ""
        print(f"Interrupted: {len(results)} of {len(chosen)} rows were measured{kept}.", file=sys.stderr)
        return STATUS
    if wanted.write:
        command = " ".join(["python -m bench", *(sys.argv[1:] if arguments is None else arguments)])
        before = RESULTS.read_text("utf-8") if RESULTS.exists() else ""
        RESULTS.write_text(table.as_markdown(results, facts, command, before), encoding="utf-8")
    return 0 if all(result.met for result in results) else 1


def measure(chosen: Sequence[Row]) -> tuple[list[Result], bool]:
    """Measure the rows one after the other.

    :return: what was measured, and whether SIGINT or SIGTERM has ended it early. The row in which that came is left
        out.
    """
    results: list[Result] = []
    with stoppable() as stop, suppress(KeyboardInterrupt):
        for number, row in enumerate(chosen, 1):
            began = time.monotonic()
            print(f"[{number}/{len(chosen)}] {row.headline} …", end="", file=sys.stderr, flush=True)
            result = run(row)
            if stop.asked:
                break
            results.append(result)
            outcome = result.lacks or table.tally([result])
            print(f" {time.monotonic() - began:.0f} s; {outcome}", file=sys.stderr, flush=True)
    if stop.asked:
        print(" interrupted", file=sys.stderr, flush=True)
    return results, stop.asked


def run(row: Row) -> Result:
    """Measure one row, or say why it cannot be."""
    if lacking := machine.missing(row.needs):
        return Result(row, skipped=lacking)
    try:
        with row.setup() as contenders:
            return Result(row, interleave(contenders, row.rounds, pause_s=row.pause_s, warm_up=row.warm_up))
    except Exception as error:  # noqa: BLE001 - whatever it is: what the other rows have measured is not lost for it
        print(f"\n{row.name}: {error}", file=sys.stderr)
        said = str(error).strip().partition("\n")[0][:160]
        return Result(row, failed=f"{type(error).__name__}: {said}" if said else type(error).__name__)


def _parser() -> argparse.ArgumentParser:
    found = parser("python -m bench", __doc__ or "", _epilog())
    found.add_argument("--only", action="append", metavar="NAME", help="a row, or all whose name begins so; repeatable")
    found.add_argument(
        "--family", action="append", choices=rows.FAMILIES, help="a family of rows; repeatable (default: all but slow)"
    )
    found.add_argument("--rounds", type=at_least_one, help="runs of each contender (default: each row's own)")
    found.add_argument("--quick", action="store_true", help=f"{_QUICK_ROUNDS} rounds, to see that it works")
    found.add_argument("--json", action="store_true", help="print JSON")
    found.add_argument(
        "--write", action="store_true", help=f"write what was measured into {RESULTS.parent.name}/{RESULTS.name}"
    )
    found.add_argument("--list", action="store_true", help="say which rows there are, and measure nothing")
    return found


def _epilog() -> str:
    parts = {"families": rows.FAMILIES, "columns of the table": table.COLUMNS, "exit status": _STATUSES}
    return "\n\n".join(f"{title}:\n{_pairs(pairs)}" for title, pairs in parts.items())


def _pairs(pairs: Mapping[str, str]) -> str:
    width = max(map(len, pairs))
    return "\n".join(f"  {word:{width}}  {meaning}" for word, meaning in pairs.items())


def _listed(which: Iterable[Row]) -> str:
    which = list(which)
    family, name = (max(len(getattr(row, column)) for row in which) for column in ("family", "name"))
    return "\n".join(f"{row.family:{family}}  {row.name:{name}}  {row.headline}" for row in which)


def _chosen(every: Sequence[Row], wanted: argparse.Namespace) -> Sequence[Row]:
    """Return the rows that are wanted: all, if nothing was said, but to measure not the slow ones."""
    chosen = [row for row in every if row.family in wanted.family] if wanted.family else every
    if wanted.only:
        chosen = [row for row in chosen if any(row.name.startswith(name) for name in wanted.only)]
        exact = [row for row in chosen if row.name in wanted.only]
        chosen = exact if len(exact) == len(wanted.only) else chosen
    elif not wanted.family and not wanted.list:
        chosen = [row for row in chosen if row.family != "slow"]
    rounds = wanted.rounds or (_QUICK_ROUNDS if wanted.quick else None)
    return [dataclasses.replace(row, rounds=rounds) for row in chosen] if rounds else chosen


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else our programs would be compiled at each start
    sys.exit(main())
