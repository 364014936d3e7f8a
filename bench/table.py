"""Results as a table for people, as markdown, and as JSON."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.goal import OURS, Row, judge
from bench.measure import Sample, Spread, show, spread

_HEAD = ("headline", "ours", "peer", "floor", "ratio", "goal", "met")
_UNITS = {"lost": "lost", "packets": "packets", "cpu_ms": "ms of CPU", "mib": "MiB"}
_MET = {True: "yes", False: "NO", None: "–"}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row: its samples, or why there are none."""

    row: Row
    samples: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    skipped: str | None = None

    @property
    def met(self) -> bool:
        """Whether no goal was missed. What was skipped has missed nothing."""
        return bool(self.skipped) or all(judge(goal, self.samples).met is not False for goal in self.row.goals)


def lines(result: Result) -> list[tuple[str, ...]]:
    """Return the lines of one row: one for each goal."""
    row, found = result.row, []
    if result.skipped is not None:
        return [(row.headline, f"skipped: {result.skipped}", "", "", "", goal.text, "–") for goal in row.goals[:1]]
    for goal in row.goals:
        verdict = judge(goal, result.samples)
        what = row.headline if goal.of == "ms" else f"{row.headline}: {goal.of.removesuffix('_ms')}"
        peer = "" if goal.against is None else f"{goal.against} {_said(result, goal.against, goal.of)}"
        floor = "" if row.floor in (None, goal.against) else _said(result, row.floor or "", goal.of)
        ratio = "" if verdict.ratio is None else f"{show(verdict.ratio)}×"
        found.append((what, _said(result, OURS, goal.of), peer, floor, ratio, goal.text, _MET[verdict.met]))
    return found


def _said(result: Result, contender: str, quantity: str) -> str:
    found = spread(result.samples.get(contender, ()), quantity)
    if found is None:
        return "" if contender == result.row.floor else "not counted"
    unit = _UNITS.get(quantity)
    return f"{found} {unit}" if unit else f"{found} ms" if not math.isinf(found.low) else str(found)


def as_text(results: Iterable[Result], machine: Mapping[str, str]) -> str:
    """Return the table for a terminal; it is as wide as it has to be."""
    every = [_HEAD, *(line for result in results for line in lines(result))]
    widths = [max(len(line[column]) for line in every) for column in range(len(_HEAD))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in every]
    ruler = "─" * min(max(map(len, shown)), shutil.get_terminal_size().columns)
    return "\n".join([_machine(machine), "min–median–max in milliseconds, if nothing else is said", ruler, *shown])


def as_markdown(results: Iterable[Result], machine: Mapping[str, str], command: str) -> str:
    """Return ``bench/RESULTS.md``: written by the bench, never by hand."""
    parts = [
        "# Measured against its peers",
        f"Written by `{command}`; min–median–max of one run, its contenders in turn. Quote ratios, not times.",
        _machine(machine),
    ]
    families: dict[str, list[Result]] = {}
    for result in results:
        families.setdefault(result.row.family, []).append(result)
    for family, members in families.items():
        rows = [_HEAD, ("---",) * len(_HEAD), *(line for result in members for line in lines(result))]
        table = "\n".join("| " + " | ".join(line) + " |" for line in rows)
        parts += [f"## {family.capitalize()}", table]
    return "\n\n".join(parts) + "\n"


def as_json(results: Iterable[Result], machine: Mapping[str, str]) -> dict[str, Any]:
    """Return everything that was measured. What never happened is null."""
    return {"machine": dict(machine), "rows": [_row(result) for result in results]}


def _row(result: Result) -> dict[str, Any]:
    row = result.row
    quantities = {key for samples in result.samples.values() for sample in samples for key in sample}
    measured = {
        name: {key: _numbers(found) for key in sorted(quantities) if (found := spread(samples, key))}
        for name, samples in result.samples.items()
    }
    verdicts = [] if result.skipped else [(goal, judge(goal, result.samples)) for goal in row.goals]
    goals = [
        {"goal": goal.text, "of": goal.of, "against": goal.against, "ratio": _number(verdict.ratio), "met": verdict.met}
        for goal, verdict in verdicts
    ]
    facts = {"name": row.name, "family": row.family, "headline": row.headline, "skipped": result.skipped}
    return {**facts, "floor": row.floor, "measured": measured, "goals": goals}


def _numbers(found: Spread) -> list[float | None]:
    return [_number(found.low), _number(found.median), _number(found.high)]


def _number(value: float | None) -> float | None:
    return None if value is None or math.isinf(value) else round(value, 4)


def _machine(machine: Mapping[str, str]) -> str:
    return " · ".join(f"{key} {value}" for key, value in machine.items())
