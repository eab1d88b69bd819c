"""The quantile, against scipy's, and the interval of a standard deviation, against drawn ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from results.statistics.chi_square import chi_square_quantile, sd_interval


@pytest.mark.parametrize("degrees_of_freedom", [1, 2, 3, 6, 7, 40, 41, 1000, 1001])
@pytest.mark.parametrize("probability", [1e-6, 0.025, 0.5, 0.95, 0.975, 1 - 1e-6])
def test_quantiles_are_those_of_scipy(probability: float, degrees_of_freedom: int) -> None:
    expected = stats.chi2.ppf(probability, degrees_of_freedom)
    assert chi_square_quantile(probability, degrees_of_freedom) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(("probability", "degrees_of_freedom"), [(0.0, 3), (1.0, 3), (95, 3), (0.95, 0)])
def test_what_no_table_has_is_refused(probability: float, degrees_of_freedom: int) -> None:
    with pytest.raises(ValueError, match="but must be"):
        chi_square_quantile(probability, degrees_of_freedom)


def test_the_interval_holds_the_true_deviation_as_often_as_it_says() -> None:
    found = np.random.default_rng(3).normal(scale=2.0, size=(4000, 5)).std(axis=1, ddof=1)
    intervals = [sd_interval(float(sd), 4, 0.9) for sd in found]
    assert np.mean([low <= 2.0 <= high for low, high in intervals]) == pytest.approx(0.9, abs=0.02)
    assert all(low < sd < high for sd, (low, high) in zip(found, intervals, strict=True))
