from __future__ import annotations

from statistics import fmean

import pytest

from benchmarks.noisy_campaigns import NOISES, tally
from results.design import DEFAULT, Design
from results.statistics.corrected import corrected
from results.statistics.judgement import Verdict


def winner(difference: float, sd: float | None = 1.0) -> Verdict:
    return Verdict("a", 5, difference, sd=sd)


def test_the_corrected_difference_is_nearer_to_zero_and_of_the_same_sign() -> None:
    found = [corrected(DEFAULT, winner(difference)) for difference in (-0.5, -1.0, -2.0, -4.0, -40.0)]
    assert all(value is not None for value in found)
    assert [v for v in found if v is not None] == sorted((v for v in found if v is not None), reverse=True)
    for difference, value in zip((-0.5, -1.0, -2.0, -4.0, -40.0), found, strict=True):
        assert value is not None and difference < value <= 0


def test_it_goes_by_the_noise_of_the_difference() -> None:
    assert corrected(DEFAULT, winner(-2.0, 0.5)) == pytest.approx(0.5 * (corrected(DEFAULT, winner(-4.0)) or 0))


def test_one_candidate_at_one_look_was_not_chosen_and_is_not_corrected() -> None:
    for difference in (-1.0, -3.0, -12.0):
        assert corrected(Design(1, 9, 9), winner(difference)) == pytest.approx(difference, abs=0.05)


def test_the_best_of_several_at_one_look_is_luckier_than_one() -> None:
    """The largest of three with a common base is half an SD of their mean too large, of nine seeds."""
    assert corrected(Design(3, 9, 9), winner(-3.0)) == pytest.approx(-3 + 0.846 / 9**0.5 / 2**0.5, abs=0.02)


def test_where_there_is_no_noise_of_its_own_nothing_is_corrected() -> None:
    assert corrected(DEFAULT, winner(-1.0, None)) is None and corrected(DEFAULT, winner(0.2)) is None


def test_in_simulated_campaigns_little_is_left_of_the_luck() -> None:
    found = [tally(NOISES[0], effect, DEFAULT, 120) for effect in (1, 2, 3)]
    assert fmean(one.printed for one in found) < -0.25
    assert all(abs(one.corrected) < 0.13 for one in found)
