from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from results.design import DEFAULT, Design
from results.statistics.studentized import (
    FALSE_BETTER,
    FALSE_CHANCE,
    FALSE_WORSE,
    levels,
    one_sided_quantile,
    studentized,
)


def crossed(values: np.ndarray, design: Design) -> tuple[float, float]:
    """Shares of campaigns without an effect in which some candidate is called better, and worse."""
    t, at = studentized(values, design.looks), levels(design.candidates, design.looks)
    above = np.array([stats.t.isf(at[n].better, n - 1) for n in design.looks])
    below = np.array([stats.t.isf(at[n].worse, n - 1) for n in design.looks])
    return (t > above[:, None]).any(axis=(1, 2)).mean(), (t < -below[:, None]).any(axis=(1, 2)).mean()


@pytest.mark.parametrize("base_noise", [0.0, 0.5, 1.0, 2.0, 3.0, 30.0])
@pytest.mark.parametrize("of_one", [1.0, 3.0, 30.0])
def test_the_errors_keep_their_parts_whatever_the_noise_of_the_base_and_of_one_candidate(base_noise, of_one) -> None:
    draw = np.random.default_rng(7)
    values = draw.normal(size=(6_000, 4, DEFAULT.final))
    values[:, 0] *= base_noise
    values[:, 1] *= of_one
    better, worse = crossed(values, DEFAULT)
    assert better <= FALSE_BETTER + 3 * np.sqrt(FALSE_BETTER / 6_000) and worse <= FALSE_WORSE + 3 * np.sqrt(
        FALSE_WORSE / 6_000
    )


def test_the_worst_kind_uses_all_of_its_part() -> None:
    values = np.random.default_rng(11).normal(size=(10_000, 4, DEFAULT.final))
    better, worse = crossed(values, DEFAULT)
    assert better == pytest.approx(FALSE_BETTER, abs=0.007) and worse == pytest.approx(FALSE_WORSE, abs=0.003)


def test_noise_of_a_seed_that_all_share_changes_nothing() -> None:
    draw = np.random.default_rng(3)
    values, of_seed = draw.normal(size=(50, 4, 9)), 5 * draw.normal(size=(50, 1, 9))
    looks = (3, 6, 9)
    assert np.allclose(studentized(values, looks), studentized(values + of_seed, looks))


def test_the_levels_grow_with_the_seeds_and_their_parts_are_all_that_is_spent() -> None:
    at = levels(3, DEFAULT.looks)
    assert list(at) == list(DEFAULT.looks)
    better = [level.better for level in at.values()]
    assert better == sorted(better) and better[0] / better[-1] == pytest.approx(0.3 + 0.7 * 3 / 30)
    assert sum(level.chance for level in at.values()) * 3 == pytest.approx(FALSE_CHANCE)
    assert pytest.approx(0.05) == FALSE_BETTER + FALSE_WORSE + FALSE_CHANCE


def test_it_is_harder_to_go_on_the_later_it_is() -> None:
    at = levels(3, DEFAULT.looks)
    least = [stats.t.ppf(level.going, n - 1) for n, level in at.items()]
    assert least == sorted(least) and least[0] < 0 < least[-2]
    assert least[-1] == pytest.approx(stats.t.isf(at[30].better, 29))


@pytest.mark.parametrize("level", [0.001, 0.2, 0.5, 0.9, 0.9999])
@pytest.mark.parametrize("freedom", [1, 2, 9, 29])
def test_a_one_sided_quantile_is_student_s(level, freedom) -> None:
    assert one_sided_quantile(level, freedom) == pytest.approx(stats.t.ppf(level, freedom), rel=1e-9, abs=1e-12)
