"""Predictive termination (Domhan, Springenberg and Hutter 2015): a trial's chance of ending as the best, by its value
on the way.

Their criterion ends a trial whose chance of beating the best one is small. There the end is extrapolated from the
trial's own curve; here from the campaign's finished trials: the ends on the values that they had at the same rung, by
least squares, with Student's t for how little so few of them tell. Where values at a rung do not order the ends, the
line is flat or its scatter wide, and no value has a small chance. What is stopped does not bend it: a regression on the
values that decided who goes on is unbiased.

Of n trials that came to a rung, each has a chance of 1 / n to be the best of them before its value is known. A trial
stops where its value has lowered that to under a half.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from terminal.counted import counted
from terminal.short import decimals

from results.statistics.leaderboard import Correlation, correlation
from results.statistics.student_t import lower_tail

# Chosen with benchmarks.stopping on every second pool (24 trials, 1 slot), together with promotion: mean cost and mean
# regret where rungs order the ends, and where they do not, at 5 and half .60 .015 and .83 .001, at 6 and half .62 .012
# and .84 .001, at 5 and .6 .60 .016 and .83 .000, at 6 and .7 .60 .016 and .80 .001, at 6 and half without promotion
# .62 .012 and .82 .004; ASHA's are .55 .017 and .54 .050.
FEWEST_FINISHED = 5  # finished trials that a line is laid through
PART_OF_A_CHANCE = 1 / 2  # of the chance that a trial has before its value is known, below which it stops
# Values and ends that are worse than the middle by more than the best is better count as no worse: bad configs are far
# off, on no line, and what is asked is who ends first.
AS_FAR = 1.0


@dataclass(frozen=True)
class Extrapolation:
    """Line from the values at a rung to the ends, through the trials that have both."""

    finished: int
    mean_value: float
    mean_end: float
    squares: float  # of the values around their mean
    slope: float
    sd: float  # of an end around the line
    best: float  # end, which another is to beat
    worst: float  # value that counts; those above it count as this one

    @classmethod
    def through(
        cls, pairs: Sequence[tuple[float, float]], best: float, fewest: int = FEWEST_FINISHED
    ) -> Extrapolation | None:
        """Lay it through (value at the rung, end); None of under ``fewest``, and where all are equal."""
        if len(pairs) < fewest:
            return None
        worst, latest = _as_far([value for value, _ in pairs]), _as_far([end for _, end in pairs])
        values, ends = [min(v, worst) for v, _ in pairs], [min(end, latest) for _, end in pairs]
        mean_value, mean_end = statistics.fmean(values), statistics.fmean(ends)
        away, after = [value - mean_value for value in values], [end - mean_end for end in ends]
        squares, scatter = _product(away, away), _product(after, after)
        if not (0 < squares < math.inf and 0 < scatter < math.inf):  # also where squares are too small or too large
            return None
        products = _product(away, after)
        slope = products / squares
        left = max(scatter - slope * products, 1e-12 * scatter)  # rounding must not make a line that is certain
        sd = math.sqrt(left / (len(pairs) - 2))
        if not (sd > 0 and math.isfinite(slope)):  # squares at the end of what a float can be
            return None
        return cls(len(pairs), mean_value, mean_end, squares, slope, sd, best, worst)

    def chance(self, value: float) -> float:
        """The probability that a trial with this value at the rung ends below the best; 1 where the line does not rise.

        It does not rise again with the value, as it would far outside those seen, where the line is least certain.
        """
        if self.slope <= 0:
            return 1.0
        behind, away = self.mean_end - self.best, min(value, self.worst) - self.mean_value
        known = 1 + 1 / self.finished
        if behind > 0:
            away = min(away, self.slope * known * self.squares / behind)
        deviation = self.sd * math.sqrt(known + away * away / self.squares)
        if math.isinf(deviation):  # so far out that what is left of the ratio below is the slope
            steepness = self.slope * math.sqrt(self.squares) / self.sd
            return lower_tail(-math.copysign(steepness, away), self.finished - 2)
        return lower_tail(-(behind + self.slope * away) / deviation, self.finished - 2)

    def cutoff(self, least: float) -> float | None:
        """The value above which the chance is below ``least`` (under 1/2); None where it is for none."""
        if self.chance(self.worst) >= least:
            return None
        low = high = self.worst
        step = math.sqrt(self.squares)
        while self.chance(low) < least:
            low, step = low - step, 2 * step
        for _ in range(60):  # halvings: more than a float has digits
            middle = (low + high) / 2
            low, high = (low, middle) if self.chance(middle) < least else (middle, high)
        return high


def least_chance(came: int, part: float = PART_OF_A_CHANCE) -> float:
    """The chance of ending as the best below which a trial stops at a rung to which ``came`` trials have come."""
    return part / max(1, came)


def promotes(chance: float, came: int) -> bool:
    """Tell whether a stopped trial goes on again, to whose rung ``came`` trials have come, for its chance of ending as
    the best: where that is no smaller than the chance that a new trial would have.
    """
    return chance * max(1, came) >= 1


def orders(pairs: Sequence[tuple[float, float]]) -> Correlation | None:
    """Spearman's rank correlation of the values with the ends, with its interval; None where it is undefined."""
    ranks = [_ranks([pair[place] for pair in pairs]) for place in (0, 1)]
    if len(pairs) < FEWEST_FINISHED or min(len(set(each)) for each in ranks) < 2:
        return None
    return correlation(statistics.correlation(*ranks), len(pairs), len(pairs))


def evidence(rung: float, pairs: Sequence[tuple[float, float]], cutoff: float | None) -> str:
    """Say what a rung tells of the ends, and that it stops trials above ``cutoff``, or lets them run on."""
    told = order_told(rung, pairs)
    if cutoff is None:
        return f"{told}, which is not enough: trials run on"
    return f"{told}: trials above {decimals(cutoff)} stop there"


def order_told(rung: float, pairs: Sequence[tuple[float, float]]) -> str:
    """Say how well a rung orders the ends, and over how many trials."""
    return f"{order_in_words(rung, orders(pairs))} over {counted(len(pairs), 'finished trial')}"


def order_in_words(rung: float, found: Correlation | None) -> str:
    """Say how well a rung orders the ends, with the interval; without a number where it is undefined."""
    by = "" if found is None else f" with rank correlation {found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
    return f"rung {rung:.10g} orders the ends{by}"


def chance_told(chance: float) -> str:
    """A chance in per cent."""
    return "under 0.1 %" if chance < 0.001 else f"{100 * chance:.1f} %"


def _product(first: Sequence[float], second: Sequence[float]) -> float:
    """The inner product; infinite where it is too large."""
    return sum(one * other for one, other in zip(first, second, strict=True))


def _as_far(values: Sequence[float]) -> float:
    """The largest value that counts."""
    middle = statistics.median(values)
    return middle + AS_FAR * (middle - min(values))


def _ranks(values: Iterable[float]) -> list[float]:
    """The place of each value, equal ones sharing the mean of theirs."""
    known = list(values)
    ordered = sorted(known)
    places: dict[float, list[int]] = {}
    for place, value in enumerate(ordered):
        places.setdefault(value, []).append(place)
    return [statistics.fmean(places[value]) for value in known]
