"""Chance of escaping a plateau: the difference of two shares of runs, with an interval that keeps its promise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

HALVINGS = 50


@dataclass(frozen=True)
class Escapes:
    """Runs of a candidate and of the base that escaped, and the difference of the two chances with its interval."""

    escaped: int
    runs: int
    base_escaped: int
    base_runs: int
    low: float  # of candidate minus base: above zero is better
    high: float

    @property
    def difference(self) -> float:
        """The share of its runs that escaped minus the base's."""
        return self.escaped / self.runs - self.base_escaped / self.base_runs

    @property
    def more(self) -> bool:
        """Tell whether its chance is established to be higher."""
        return self.low > 0

    @property
    def less(self) -> bool:
        """Tell whether its chance is established to be lower."""
        return self.high < 0


def escapes(escaped: int, runs: int, base_escaped: int, base_runs: int, level: float) -> Escapes:
    """Compare two shares at a two-sided level.

    The interval of a difference is made of the two shares' own (Newcombe 1998, method 10, "square and add"), which are
    the exact ones of Clopper and Pearson (1934): at the small levels of a look others promise too much.
    """
    share, base = escaped / runs, base_escaped / base_runs
    low, high = share_interval(escaped, runs, level)
    base_low, base_high = share_interval(base_escaped, base_runs, level)
    return Escapes(
        escaped, runs, base_escaped, base_runs,
        share - base - math.hypot(share - low, base_high - base),
        share - base + math.hypot(high - share, base - base_low),
    )  # fmt: skip


@cache
def share_interval(found: int, runs: int, level: float) -> tuple[float, float]:
    """The interval of a chance of which ``found`` of ``runs`` were seen, by Clopper and Pearson."""
    low = 0.0 if found == 0 else _where(lambda chance: _at_least(found, runs, chance) > level / 2)
    high = 1.0 if found == runs else _where(lambda chance: 1 - _at_least(found + 1, runs, chance) <= level / 2)
    return low, high


def _where(holds: Callable[[float], bool]) -> float:
    """Return the least chance from which on it holds."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return (low + high) / 2


def _at_least(found: int, runs: int, chance: float) -> float:
    """Return the chance of ``found`` or more of ``runs``."""
    return sum(math.comb(runs, k) * chance**k * (1 - chance) ** (runs - k) for k in range(found, runs + 1))
