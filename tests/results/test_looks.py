from __future__ import annotations

import numpy as np
import pytest

from results.analysis import paired_noise
from results.looks import confidence_at, final_level
from results.student_t import two_sided_quantile


def test_one_candidate_on_a_fixed_number_of_seeds_is_an_ordinary_t_test() -> None:
    assert confidence_at(4, candidates=1, first=4, last=4) == pytest.approx(0.95, abs=0.004)


def test_three_candidates_on_a_fixed_number_of_seeds_are_between_dunnett_s_limits() -> None:
    """Stricter than one comparison, less so than Bonferroni's three: they share their base."""
    level = final_level(3, 3, 3)
    assert 0.05 / 3 < level < 0.05
    assert two_sided_quantile(1 - level, 6) == pytest.approx(3.10, abs=0.06)  # Dunnett 1964: 3.10 for k = 3, df = 6


def test_more_looks_and_earlier_ones_are_stricter() -> None:
    assert final_level(3, 3, 9) < final_level(3, 9, 9)
    confidences = [confidence_at(n, 3, 3, 9) for n in range(3, 10)]
    assert confidences == sorted(confidences, reverse=True) and confidences[0] > 0.99


def test_under_the_null_any_look_errs_in_five_percent_of_other_draws_too() -> None:
    draw, crossed, campaigns = np.random.default_rng(99), 0, 1500
    for _ in range(campaigns):
        values = draw.normal(size=(3, 5))
        for n in (3, 4, 5):
            noise = paired_noise([dict(enumerate(row[:n])) for row in values])
            assert noise is not None
            differences = values[1:, :n].mean(axis=1) - values[0, :n].mean()
            if np.abs(differences).max() > noise.smallest_difference(n, n, confidence_at(n, 2, 3, 5)):
                crossed += 1
                break
    assert crossed / campaigns == pytest.approx(0.05, abs=0.018)  # three standard errors
