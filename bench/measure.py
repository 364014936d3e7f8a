"""Contenders in turn, and what their samples amount to.

A machine that does other things too is as noisy for all contenders of one round; so each round runs every contender
once, in another order than the last, and only ratios of one run are worth telling.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

Sample = dict[str, float]
"""What one run of a contender gave: milliseconds under ``ms``, and whatever else it counts."""

Contender = Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Spread:
    """Minimum, median and maximum. What never happened is infinite."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Sum up ``values``; at least one."""
        known = sorted(values)
        return cls(known[0], statistics.median(known), known[-1])

    def __str__(self) -> str:
        if self.low == self.high:
            return show(self.low)
        return f"{show(self.low)}–{show(self.median)}–{show(self.high)}"


def show(value: float) -> str:
    """Return a number with as many digits as it is worth."""
    if math.isinf(value):
        return "never"
    if value == round(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def interleave(
    contenders: Mapping[str, Contender],
    rounds: int,
    *,
    pause_s: float = 0.0,
    warm_up: bool = True,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, list[Sample]]:
    """Run every contender once a round, in turn, and return their samples.

    :param pause_s: between two of them: until the network has forgotten the one before.
    :param warm_up: run each once before, for nothing: files are read into memory, programs compiled.
    """
    names = list(contenders)
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    for number in range(-1 if warm_up else 0, rounds):
        turn = number % len(names)
        for name in (*names[turn:], *names[:turn]):
            gc.collect()
            sample = contenders[name]()
            if number >= 0:
                samples[name].append(sample)
            sleep(pause_s)
    return samples


def spread(samples: Iterable[Sample], quantity: str) -> Spread | None:
    """Return what the samples say of a quantity; None where they do not speak of it."""
    values = [sample[quantity] for sample in samples if quantity in sample]
    return Spread.of(values) if values else None
