"""Seeds that find a difference, beside Student's distribution of another library."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from results.statistics.seeds_for import seeds_for, smallest_found


@pytest.mark.parametrize("seeds", [2, 3, 7, 30])
def test_the_smallest_difference_is_that_of_a_paired_t_test_at_80_percent_power(seeds: int) -> None:
    quantiles = stats.t.ppf(0.975, seeds - 1) + stats.t.ppf(0.8, seeds - 1)
    assert smallest_found(seeds, 0.01) == pytest.approx(quantiles * 0.01 * math.sqrt(2 / seeds), rel=1e-6)


def test_the_fewest_seeds_find_it_and_one_less_does_not() -> None:
    for difference in (0.005, 0.01, 0.02):
        seeds = seeds_for(difference, 0.0052)
        assert smallest_found(seeds, 0.0052) <= difference < smallest_found(seeds - 1, 0.0052)
    assert (seeds_for(0.005, 0.0052), seeds_for(0.01, 0.0052)) == (19, 7)
