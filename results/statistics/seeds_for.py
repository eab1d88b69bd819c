"""Seeds that it takes to find a difference between two configs whose runs are as noisy as is known beforehand."""

from __future__ import annotations

import math

from results.statistics.studentized import one_sided_quantile

TEST_LEVEL = 0.975  # of a two-sided test at 95 %
POWER = 0.8  # the probability that a difference is found which is there
SEEDS_TRIED = 10_000


def smallest_found(seeds: int, sd: float) -> float:
    """The smallest difference that ``seeds`` pairs of runs find with that power, for runs of that standard deviation.

    (t(0.975) + t(0.8)) * sd * sqrt(2 / n) with n - 1 degrees of freedom: the paired t test, its power by the central
    distribution, as is usual for planning.
    """
    assert seeds >= 2
    quantiles = one_sided_quantile(TEST_LEVEL, seeds - 1) + one_sided_quantile(POWER, seeds - 1)
    return quantiles * sd * math.sqrt(2 / seeds)


def seeds_for(difference: float, sd: float) -> int:
    """The fewest seeds of each config that find a difference; at most SEEDS_TRIED."""
    return next((n for n in range(2, SEEDS_TRIED) if smallest_found(n, sd) <= difference), SEEDS_TRIED)
