from __future__ import annotations

import numpy as np
import pytest

from benchmarks.noisy_campaigns import BEFORE, FEW, NOISES, PLATEAU, TRIALS, judged, lines, tally, values
from results.design import DEFAULT, Design

CAMPAIGNS = 60  # of a cell; the same ones at each run, so that the counts are too
BY_NAME = {noise.name: noise for noise in NOISES}
FEW_RUNS = Design(DEFAULT.candidates, DEFAULT.first, DEFAULT.last, FEW)


@pytest.mark.parametrize("noise", NOISES, ids=[noise.name for noise in NOISES])
def test_no_kind_of_noise_makes_more_false_winners_than_promised(noise) -> None:
    assert tally(noise, 0, DEFAULT, CAMPAIGNS).false <= 0.05


@pytest.mark.parametrize("noise", NOISES, ids=[noise.name for noise in NOISES])
def test_an_effect_of_twice_the_usual_noise_is_found_in_four_campaigns_of_five(noise) -> None:
    assert tally(noise, 2, DEFAULT, CAMPAIGNS).found >= 0.8


def test_on_a_plateau_half_of_the_effects_are_found_with_few_runs() -> None:
    noise = BY_NAME["plateau 20 %"]
    assert FEW_RUNS.looks[-1] == 12 and tally(noise, 2, FEW_RUNS, CAMPAIGNS).found >= 0.5
    assert tally(noise, 2, BEFORE, CAMPAIGNS).found <= 0.1, "by the rule before"


def test_the_seeds_go_where_the_noise_is() -> None:
    quiet, noisy = (tally(BY_NAME[name], 3, DEFAULT, 40).runs for name in ("normal", "the base x 3"))
    assert quiet < 24 and noisy > 1.25 * quiet


def test_a_campaign_is_the_same_each_time_and_for_every_rule() -> None:
    noise = BY_NAME["the winner's kind x 3"]
    found, means, runs = judged(noise, 2, DEFAULT, 5)
    assert (found, means, runs) == judged(noise, 2, DEFAULT, 5) and judged(noise, 2, BEFORE, 5)[1] == means
    assert set(means) == {"base", "0", "1", "2"} and means["base"] == 0 and runs >= DEFAULT.fewest_runs


def test_values_are_as_noisy_as_their_kind_says() -> None:
    draw, shape = np.random.default_rng(0), 4_000
    has_effect, half = np.array([False, True, False, False]), np.array([False, False, False, True])

    def of(name: str) -> np.ndarray:
        return values(BY_NAME[name], draw, np.array([0.0, -2.0, 0.0, 0.0]), has_effect, half, shape)

    assert (of("normal")[1] - of("normal")[0]).mean() == pytest.approx(-2, abs=0.1)
    plain, base, winners = of("normal"), of("the base x 3"), of("the winner's kind x 3")
    assert (plain[2] - plain[3]).var() == pytest.approx(2, rel=0.1)
    assert (base[0] - base[2]).var() == pytest.approx(10, rel=0.1)
    assert (winners[1] - winners[2]).var() == pytest.approx(10, rel=0.1)
    halves = of("seed effects shared by halves")
    assert (halves[0] - halves[2]).var() == pytest.approx(2, rel=0.1)
    assert (halves[0] - halves[3]).var() == pytest.approx(4, rel=0.1)
    assert (of("plateau 20 %") > PLATEAU / 2).mean() == pytest.approx(0.2, abs=0.01)
    for name in ("t with 3 degrees of freedom", "skewed (exponential)"):
        row = of(name)
        assert (row[2] - row[3]).var() == pytest.approx(2, rel=0.3)
    assert TRIALS == 24


def test_the_table_has_a_line_a_noise_effect_and_design() -> None:
    table = list(lines(1, [BY_NAME["normal"], BY_NAME["plateau 5 %"]]))
    assert len(table) == 1 + 4 * 2 + 4 * 3 and table[0].split()[-2:] == ["printed", "corrected"]
