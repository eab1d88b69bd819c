"""Levels of a confirmation whose differences are each judged by their own noise, whatever that of other configs is.

A base that is three times as noisy as its candidates, a noisy kind of winner, or seeds that do the same to a part of
the configs only: each makes a noise that is pooled over all configs wrong for some of them. So the difference of each
candidate is studentised by the spread of its own pairs (Student's t for pairs), but by no less than half of what all
pairs of configs show together: two or three pairs may lie close by chance.

The 5 % are spent in three parts: 4 % on calling a candidate better that is not, and half a percent each on calling one
worse and on its chance of escaping a plateau (``chance_of_escape.py``). The levels of the looks grow with the seeds
seen. They are found by simulating campaigns without an effect from a fixed seed, of three kinds: all configs equally
noisy, the base twice as noisy, and a base without noise, which makes the candidates independent. The most errors of the
three count. Other noise between and beyond these has fewer (``benchmarks/confirm_power.py``).

A candidate goes on while the chance that the last look will call it better is a tenth or more, if all that is known of
it is its difference so far (predictive power, Spiegelhalter and others 1986). This stop makes no false finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from results.statistics.student_t import two_sided_quantile

FALSE_BETTER, FALSE_WORSE, FALSE_CHANCE = 0.04, 0.005, 0.005  # parts of the total error
AT_ONCE = 0.3  # part of a level that does not grow with the seeds: large effects are found at the first look
FLOOR = 0.5  # of the pooled variance, below which that of a difference is not taken to be
HOPE = 0.1  # chance of being called better in the end below which a candidate stops
CAMPAIGNS = 16_000  # simulated of each kind, counted in both directions
CHUNK = 2_000
HALVINGS = 25
NOISE_OF_BASE = (1.0, 2.0, 0.0)  # beside 1.0 of the candidates

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Levels:
    """Levels of one look: the chances of Student's t beyond its limits, and of going on."""

    better: float  # one-sided
    worse: float  # one-sided
    chance: float  # two-sided, of the chance of escaping
    going: float  # P(t is lower) where t is the least with which a candidate goes on


@cache
def levels(candidates: int, looks: tuple[int, ...]) -> dict[int, Levels]:
    """Return the levels by the seeds of a look."""
    largest = [np.concatenate([t, -t], axis=0) for t in _campaigns(candidates, looks)]  # both signs: twice as many
    largest = [t.max(axis=2) for t in largest]  # (campaigns, looks)
    better, worse = (_level_at_the_end(largest, looks, error) for error in (FALSE_BETTER, FALSE_WORSE))
    normal, final = NormalDist(), looks[-1]
    limit, found = -normal.inv_cdf(better), dict[int, Levels]()
    for seeds in looks:
        part = seeds / final
        least = limit * part**0.5 + normal.inv_cdf(HOPE) * (1 - part) ** 0.5
        shares = [AT_ONCE + (1 - AT_ONCE) * part, seeds / sum(looks)]
        found[seeds] = Levels(
            better * shares[0], worse * shares[0], FALSE_CHANCE / candidates * shares[1], normal.cdf(least)
        )
    return found


def one_sided_quantile(level: float, degrees_of_freedom: int) -> float:
    """The t that a Student variable stays below with probability ``level``."""
    if level == 0.5:
        return 0.0
    return two_sided_quantile(abs(2 * level - 1), degrees_of_freedom) * (1 if level > 0.5 else -1)


def _level_at_the_end(largest: Sequence[Array], looks: Sequence[int], error: float) -> float:
    """Return the one-sided level of the last look with which the looks together err so often in the worst kind."""
    low, high = 0.0, error
    for _ in range(HALVINGS):
        level = (low + high) / 2
        shares = [AT_ONCE + (1 - AT_ONCE) * seeds / looks[-1] for seeds in looks]
        limits = [one_sided_quantile(1 - level * share, n - 1) for n, share in zip(looks, shares, strict=True)]
        crossed = max(float((t > np.array(limits)).any(axis=1).mean()) for t in largest)
        low, high = (low, level) if crossed > error else (level, high)
    return low


def _campaigns(candidates: int, looks: Sequence[int]) -> Iterator[Array]:
    """Yield t by campaign, look and candidate, of each kind of campaign without an effect."""
    for base_noise in NOISE_OF_BASE:
        draw, found = np.random.default_rng(0), list[Array]()
        for _ in range(CAMPAIGNS // CHUNK):
            values = draw.normal(size=(CHUNK, candidates + 1, looks[-1]))  # arm 0 is the base
            values[:, 0] *= base_noise
            found.append(studentized(values, looks))
        yield np.concatenate(found)


def studentized(values: Array, looks: Sequence[int]) -> Array:
    """Base minus candidate, studentised, by campaign, look and candidate, of values by campaign, arm and seed."""
    differences, deviations = values[:, :1] - values[:, 1:], values - values.mean(axis=1, keepdims=True)
    sums, squares = differences.cumsum(axis=2), np.square(differences).cumsum(axis=2)
    of_arms, of_squares = deviations.cumsum(axis=2), np.square(deviations).sum(axis=1).cumsum(axis=1)
    found = []
    for n in looks:
        means = sums[:, :, n - 1] / n
        own = (squares[:, :, n - 1] - n * np.square(means)) / (n - 1)
        rest = of_squares[:, n - 1] - np.square(of_arms[:, :, n - 1]).sum(axis=1) / n
        pooled = 2 * rest / ((values.shape[1] - 1) * (n - 1))
        found.append(means / np.sqrt(np.maximum(own, FLOOR * pooled[:, None]) / n))
    return np.stack(found, axis=1)
