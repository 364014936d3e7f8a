"""Results as a table for people, as markdown, and as JSON."""

from __future__ import annotations

import math
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.goal import OURS, Goal, Row, Verdict, judge
from bench.measure import Sample, Spread, show, spread
from bench.rows import FAMILIES

_HEAD = ("headline", "ours", "peer", "floor", "ratio", "goal", "met")
COLUMNS = {
    "ours, peer, floor": "min–median–max",
    "floor": "the least that any program needs for it; empty where it is the peer itself, or unknown",
    "ratio": "ours / peer, of the medians; below 1 is faster, or less",
    "goal": "what ours may be at the most; “compared”: there is no limit",
}
_UNITS = {"lost": "lost", "packets": "packets", "cpu_ms": "ms of CPU", "mib": "MiB"}
_QUANTITIES = {"ms": "time", "cpu_ms": "CPU", "first": "the first", "good": "the good ones", "end": "the end"}
_MET = {True: "yes", False: "NO", None: "–"}
_SECTION = re.compile(r"^## (\w+)", re.MULTILINE)
_UNMET: dict[bool | None, str] = {False: "not", None: "not measured"}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row: its samples, or why there are none.

    :param skipped: what this machine lacks for it.
    :param failed: what went wrong.
    """

    row: Row
    samples: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    skipped: str | None = None
    failed: str | None = None

    @property
    def lacks(self) -> str | None:
        """Why there are no samples; None where there are."""
        if self.failed is not None:
            return f"failed: {self.failed}"
        return None if self.skipped is None else f"skipped: {self.skipped}"

    def verdict(self, goal: Goal) -> Verdict:
        """Return how a goal of the row stands. Without samples nothing is known."""
        return judge(goal, self.samples) if self.lacks is None else Verdict(None, None)

    @property
    def met(self) -> bool:
        """Whether nothing has failed and no goal was missed. What was skipped has missed nothing."""
        return self.failed is None and all(self.verdict(goal).met is not False for goal in self.row.goals)


def tally(results: Iterable[Result]) -> str:
    """Return how many goals are met. Lines that only compare are none."""
    goals = [(result, goal) for result in results for goal in result.row.goals if goal.limit is not None]
    met = Counter(result.verdict(goal).met for result, goal in goals)
    parts = [f"{met[True]} met", *(f"{met[key]} {word}" for key, word in _UNMET.items() if met[key])]
    return f"{len(goals)} goal{'s' * (len(goals) != 1)}: {', '.join(parts)}" if goals else "no goals, only compared"


def lines(result: Result) -> list[tuple[str, ...]]:
    """Return the lines of one row: one for each goal; what the line above has said already is left empty."""
    row, found, of = result.row, [], ""
    if result.lacks is not None:
        return [(row.headline, result.lacks, "", "", "", goal.text, _MET[None]) for goal in row.goals[:1]]
    for goal in row.goals:
        verdict, quantity = result.verdict(goal), _QUANTITIES.get(goal.of, goal.of)
        what = "" if goal.of == of else f"… {quantity}"
        if not found:
            what = row.headline if goal.of == "ms" else f"{row.headline}: {quantity}"
        of = goal.of
        peer = "" if goal.against is None else f"{goal.against} {_said(result, goal.against, goal.of)}"
        floor = "" if row.floor in (None, goal.against) else _said(result, row.floor or "", goal.of)
        ratio = _ratio(result, goal, verdict)
        found.append((what, _said(result, OURS, goal.of), peer, floor, ratio, goal.text, _MET[verdict.met]))
    return found


def _ratio(result: Result, goal: Goal, verdict: Verdict) -> str:
    if verdict.ratio is None:
        return ""
    ours, peer = (spread(result.samples[name], goal.of) for name in (OURS, goal.against or ""))
    if ours and peer and math.inf in (ours.median, peer.median):
        if ours.median == peer.median:
            return "both: never"
        return "peer: never" if peer.median == math.inf else "ours: never"
    return "peer: 0" if math.isinf(verdict.ratio) else f"{show(verdict.ratio)}×"


def _said(result: Result, contender: str, quantity: str) -> str:
    found = spread(result.samples.get(contender, ()), quantity)
    if found is None:
        return "" if contender == result.row.floor else "not counted"
    unit = _UNITS.get(quantity)
    return f"{found} {unit}" if unit else f"{found} ms" if not math.isinf(found.low) else str(found)


def as_text(results: Sequence[Result], machine: Mapping[str, str]) -> str:
    """Return the table for a terminal; it is as wide as it has to be."""
    full = [_HEAD, *(line for result in results if result.lacks is None for line in lines(result))]
    every = [_HEAD, *(line for result in results for line in lines(result))]
    widths = [max(len(line[column]) for line in full) for column in range(len(_HEAD))]  # reasons may stand out
    widths[0] = max(len(line[0]) for line in every)
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in every]
    ruler = "─" * min(max(map(len, shown)), shutil.get_terminal_size().columns)
    units = "min–median–max in milliseconds, if nothing else is said"
    return "\n".join([_machine(machine), tally(results), units, ruler, *shown])


def as_markdown(results: Sequence[Result], machine: Mapping[str, str], command: str, before: str = "") -> str:
    """Return ``bench/RESULTS.md``: written by the bench, never by hand.

    :param before: what it was before: families that were not measured now stay as they are.
    """
    sections = dict(zip(*[iter(_SECTION.split(before)[1:])] * 2, strict=True))
    for family in dict.fromkeys(result.row.family for result in results):
        members = [result for result in results if result.row.family == family]
        rows = [_HEAD, ("---",) * len(_HEAD), *(line for result in members for line in lines(result))]
        table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in rows)
        told = f"{tally(members).capitalize()}. Written by `{command}`."
        head = f": {FAMILIES[family]}"
        sections[family.capitalize()] = "\n\n".join([head, told, _machine(machine), table])
    parts = [
        "# Measured against its peers",
        "Each family is one run, its contenders in turn. Quote ratios, not times.",
        "\n".join(f"- **{word}**: {meaning}." for word, meaning in COLUMNS.items()),
        *(f"## {name}{sections[name].rstrip()}" for name in map(str.capitalize, FAMILIES) if name in sections),
    ]
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
    verdicts = [(goal, result.verdict(goal)) for goal in row.goals if result.lacks is None]
    goals = [
        {"goal": goal.text, "of": goal.of, "against": goal.against, "ratio": _number(verdict.ratio), "met": verdict.met}
        for goal, verdict in verdicts
    ]
    facts = {"name": row.name, "family": row.family, "headline": row.headline}
    facts |= {"skipped": result.skipped, "failed": result.failed}
    return {**facts, "floor": row.floor, "measured": measured, "goals": goals}


def _numbers(found: Spread) -> list[float | None]:
    return [_number(found.low), _number(found.median), _number(found.high)]


def _number(value: float | None) -> float | None:
    return None if value is None or math.isinf(value) else round(value, 4)


def _machine(machine: Mapping[str, str]) -> str:
    return " · ".join(f"{key} {value}" for key, value in machine.items())
