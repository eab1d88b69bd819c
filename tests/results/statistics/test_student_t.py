"""The quantile, against printed tables."""

from __future__ import annotations

import pytest

from results.statistics.student_t import lower_tail, two_sided_quantile


@pytest.mark.parametrize(
    ("confidence", "degrees_of_freedom", "quantile"),
    [
        (0.95, 1, 12.7062),
        (0.95, 2, 4.3027),
        (0.95, 3, 3.1824),
        (0.95, 4, 2.7764),
        (0.95, 13, 2.1604),
        (0.95, 120, 1.9799),
        (0.95, 100_000, 1.9600),
        (0.99, 1, 63.6567),
        (0.99, 10, 3.1693),
        (0.5, 7, 0.7111),
    ],
)
def test_quantiles_are_those_of_the_tables(confidence: float, degrees_of_freedom: int, quantile: float) -> None:
    assert two_sided_quantile(confidence, degrees_of_freedom) == pytest.approx(quantile, abs=6e-5)


@pytest.mark.parametrize(("confidence", "degrees_of_freedom"), [(0.0, 3), (1.0, 3), (95, 3), (0.95, 0)])
def test_what_no_table_has_is_refused(confidence: float, degrees_of_freedom: int) -> None:
    with pytest.raises(ValueError, match="but must be"):
        two_sided_quantile(confidence, degrees_of_freedom)


@pytest.mark.parametrize(
    ("t", "degrees_of_freedom", "below"),
    [(0.0, 3, 0.5), (-12.7062, 1, 0.025), (2.7764, 4, 0.975), (-3.1693, 10, 0.005), (-0.7111, 7, 0.25)],
)
def test_the_lower_tail_is_that_of_the_tables(t: float, degrees_of_freedom: int, below: float) -> None:
    assert lower_tail(t, degrees_of_freedom) == pytest.approx(below, abs=2e-5)
