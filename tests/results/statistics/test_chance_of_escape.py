from __future__ import annotations

import itertools

import pytest
from scipy import stats

from results.statistics.chance_of_escape import escapes, share_interval


@pytest.mark.parametrize(("found", "runs"), [(0, 5), (3, 9), (9, 9), (17, 30)])
@pytest.mark.parametrize("level", [0.05, 0.0004])
def test_a_share_s_interval_is_the_exact_one(found, runs, level) -> None:
    exact = stats.binomtest(found, runs).proportion_ci(confidence_level=1 - level, method="exact")
    assert share_interval(found, runs, level) == pytest.approx((exact.low, exact.high), abs=1e-9)


@pytest.mark.parametrize("runs", [3, 5, 10, 19, 30])
@pytest.mark.parametrize("level", [0.05, 0.001, 0.0001])
def test_two_equal_chances_are_told_apart_no_more_often_than_the_level_says(runs, level) -> None:
    """Counted over all outcomes, at chances from 5 to 95 %."""
    told = {
        (a, b): (found.more or found.less)
        for a, b in itertools.product(range(runs + 1), repeat=2)
        for found in [escapes(a, runs, b, runs, level)]
    }
    for chance in (0.05, 0.2, 0.5, 0.8, 0.95):
        weights = stats.binom.pmf(range(runs + 1), runs, chance)
        assert sum(weights[a] * weights[b] for (a, b), is_told in told.items() if is_told) <= level


def test_the_interval_turns_round_with_the_sides_and_shrinks_with_the_runs() -> None:
    one, other = escapes(8, 9, 3, 9, 0.01), escapes(3, 9, 8, 9, 0.01)
    assert (one.low, one.high, one.difference) == pytest.approx((-other.high, -other.low, -other.difference))
    assert one.low < one.difference < one.high and one.difference == pytest.approx(5 / 9)
    many = escapes(24, 27, 9, 27, 0.01)
    assert many.low > one.low and many.more and not one.more and not many.less
    assert escapes(0, 30, 30, 30, 0.001).less
