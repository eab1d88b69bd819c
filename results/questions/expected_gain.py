"""Gain that more trials are expected to bring, from the values that the search has drawn last.

The next trials are taken to be like those of the later half, which a model has chosen: so many of them will lie below
the best quarter's end, by amounts of a generalised Pareto distribution (Pickands 1975). Its scale is that of the
quarter; its shape is fixed, since so few values cannot tell it: losses have a floor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from results.questions.one_ruler import Ruler

SHAPE = -0.3  # of the tail; chosen with benchmarks/importance.py on seeds that its table does not use
LATER = 0.5  # of the trials are like those to come, or
FEWEST_LATER = 12  # so many
TAIL = 0.25  # of these are the best, but at least
FEWEST_BEST = 4
RESAMPLED = 1000
INTERVAL = 0.8


@dataclass(frozen=True)
class ExpectedGain:
    """Expected fall of the lowest value, in the unit of the objective: single runs, luck included."""

    trials: int
    mean: float
    low: float  # of the interval that holds the gain in 80 % of campaigns
    high: float
    chance: float  # that it goes down at all


def expected_gain(ruler: Ruler, trials: int) -> ExpectedGain | None:
    """The gain of so many more trials; None where too few have ended to say anything of it."""
    measured = ruler.values[(ruler.spread == 0) & np.isfinite(ruler.values)]
    if ruler.at != "the end" or len(ruler) < FEWEST_LATER or not len(measured):
        return None
    random = np.random.default_rng(0)  # the same rows, the same answer
    later = np.arange(len(ruler))[-max(FEWEST_LATER, round(LATER * len(ruler))) :]
    gains = np.array([_gain(ruler.drawn(random)[later], measured.min(), trials, random) for _ in range(RESAMPLED)])
    low, high = np.quantile(gains, [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2])
    return ExpectedGain(trials, float(gains.mean()), float(low), float(high), float((gains > 0).mean()))


def _gain(values: np.ndarray, best: float, trials: int, random: np.random.Generator) -> float:
    """One draw: the values resampled, the tail fitted, and the lowest of so many new ones."""
    drawn = np.sort(random.choice(values, len(values)))
    count = max(FEWEST_BEST, round(TAIL * len(drawn)))
    end = drawn[count]
    if not np.isfinite(end):
        return 0.0
    scale = float((end - drawn[:count]).mean()) * (1 - SHAPE)
    below = random.binomial(trials, count / len(drawn))
    if below == 0:
        return 0.0
    depth = scale / SHAPE * (float(random.random(below).min()) ** -SHAPE - 1)
    return max(0.0, float(best - (end - depth)))
