"""What is to be reached, and whether it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bench.measure import Contender, Sample, spread

OURS = "ours"
Setup = Callable[[], AbstractContextManager[Mapping[str, Contender]]]


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the table.

    :param text: the goal as people say it.
    :param limit: how many times the other's median ours may be; without another, the most that it may be. None: the
        line only compares (see :func:`compared`).
    :param against: the other contender.
    :param of: the quantity.
    :param worst: the largest sample counts, and not the median.
    """

    text: str
    limit: float | None = None
    against: str | None = None
    of: str = "ms"
    worst: bool = False


def compared(against: str, of: str = "ms") -> Goal:
    """Return a line without a limit: it shows how ours stands beside another."""
    return Goal("compared", None, against, of)


@dataclass(frozen=True, slots=True)
class Row:
    """Something that is measured.

    :param setup: makes everything that is needed, and gives the contenders; one is :data:`OURS`.
    :param floor: the contender that shows what kernel or network allow.
    :param needs: programs, by name.
    :param pause_s: between two contenders.
    :param family: what it is part of, one of ``bench.rows.FAMILIES``.
    """

    name: str
    headline: str
    setup: Setup
    goals: tuple[Goal, ...]
    floor: str | None = None
    needs: tuple[str, ...] = ()
    pause_s: float = 0.0
    rounds: int = 7
    warm_up: bool = True
    family: str = "goals"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a goal stands: the ratio (None where nothing is compared), and whether it is met (None: there is none)."""

    ratio: float | None
    met: bool | None


def judge(goal: Goal, samples: Mapping[str, Sequence[Sample]]) -> Verdict:
    """Return how a goal stands after a run."""
    ours = spread(samples[OURS], goal.of)
    if ours is None:
        return Verdict(None, False if goal.limit is not None else None)
    mine = ours.high if goal.worst else ours.median
    if goal.against is None:
        return Verdict(None, None if goal.limit is None else mine <= goal.limit)
    other = spread(samples[goal.against], goal.of)
    if other is None:
        return Verdict(None, None)
    ratio = _ratio(mine, other.median)
    return Verdict(ratio, None if goal.limit is None else ratio <= goal.limit)


def _ratio(mine: float, other: float) -> float:
    if math.isinf(mine):
        return math.inf
    return mine / other if other else (0.0 if not mine else math.inf)
