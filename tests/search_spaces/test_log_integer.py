"""An integer on a log scale: its values, its words, Optuna's distribution of it, and what results make of it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import optuna
import pandas as pd
import pytest

from results.questions.knobs import knobs_of
from search_spaces.domains import LogInteger
from search_spaces.likely import part_of
from search_spaces.own_train import own_space
from tuner.campaign.record import domain_of
from tuner.proposals.coordinates import Coordinates
from tuner.proposals.sampler import distribution, suggest

WIDTHS = LogInteger(8, 512)


def space_of(domain):
    return own_space("train", {"width": domain}, {"width": 16}, 10, 0, "loss")[0]


def test_it_holds_integers_between_its_bounds_and_says_its_scale() -> None:
    assert all(value in WIDTHS for value in (8, 9, 512))
    assert all(value not in WIDTHS for value in (7, 513, 16.0, True, None))
    assert str(WIDTHS) == "8 .. 512 (log)" and WIDTHS.column_type == "int64"


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ((0, 8), "lower bound of a LogInteger is 0 but must be positive"),
        ((8, 8), "goes from 8 to 8 but must go up"),
        ((1.0, 8), "a bound of a LogInteger is 1.0 but must be a whole number"),
    ],
)
def test_bounds_that_make_no_log_scale_are_refused(bounds, says) -> None:
    with pytest.raises(ValueError, match=says):
        LogInteger(*bounds)


def test_a_function_of_ones_own_gives_it_in_words() -> None:
    assert space_of("8..512 log").knobs[0].domain == WIDTHS
    assert space_of(WIDTHS).knobs[0].domain == WIDTHS
    with pytest.raises(ValueError, match="must be positive"):
        space_of("0..512 log")
    with pytest.raises(ValueError, match="so must be the bounds"):
        space_of("0.5..512 log")


def test_optuna_draws_it_by_its_logarithm() -> None:
    assert distribution(WIDTHS) == optuna.distributions.IntDistribution(8, 512, log=True)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [suggest(study.ask(), "width", WIDTHS) for _ in range(300)]
    assert all(value in WIDTHS for value in drawn)
    assert 100 < sum(value < 64 for value in drawn) < 200, "64 is the middle in the logarithm"


def test_a_part_of_it_is_one_too() -> None:
    assert part_of(WIDTHS, "width", "16..64") == LogInteger(16, 64)


def test_results_place_its_values_by_their_logarithm() -> None:
    campaign = {"ranges": {"width": domain_of(WIDTHS)}, "knobs": {"width": "int64"}}
    trials = pd.DataFrame({"width": [8, 64, 512]})
    (knob,) = knobs_of(campaign, trials)
    assert knob.kind == "log_integer" and knob.is_whole
    assert knob.places(trials["width"]) == pytest.approx([0, 0.5, 1])
    assert knob.value_at(0.5) == pytest.approx(64)
    words_only = {"ranges": {"width": {"domain": str(WIDTHS)}}, "knobs": {"width": "int64"}}
    assert knobs_of(words_only, trials)[0] == knob


def test_coordinates_are_of_its_values_and_spread_over_them_by_the_logarithm() -> None:
    coordinates, generator = Coordinates(space_of(WIDTHS)), np.random.default_rng(0)
    points = [{"width": value} for value in range(8, 513)]
    assert [coordinates.values(row) for row in coordinates.rows(points)] == points
    rows = coordinates.settled(np.full((300, 1), np.nan), generator)
    drawn = Counter(coordinates.values(row)["width"] < 64 for row in rows)
    assert 100 < drawn[True] < 200
    again = coordinates.settled(rows, generator)
    assert np.array_equal(again, rows), "what stands for a value stays"
