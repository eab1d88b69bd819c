"""A trend from elsewhere: in the formulas, in the choice of a model, and in what a search then proposes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from search_spaces.own_train import own_space
from tuner.campaign.trial_end import TrialEnd
from tuner.proposals.coordinates import Coordinates
from tuner.proposals.first_points import WITH_TREND
from tuner.proposals.model import elsewhere, models
from tuner.proposals.model.data import ModelData
from tuner.proposals.model.elsewhere import Elsewhere
from tuner.proposals.model.gaussian_process import GaussianProcess, Hyperparameters
from tuner.proposals.model.trend import FACTOR, FACTOR_SPREAD, Trend
from tuner.proposals.sampler import Sampler
from tuner.proposals.warm_start import Point, Prior

KNOBS = [f"x{n}" for n in range(6)]
SPACE, CONFIG = own_space("train", dict.fromkeys(KNOBS, "0..1"), dict.fromkeys(KNOBS, 0.9), 10, 0, "loss")
BASE = SPACE.values_of(CONFIG)


def bowl(values: dict) -> float:
    """Lowest at .2 in the first two knobs; the other four do nothing."""
    return 2 + (values["x0"] - 0.2) ** 2 + (values["x1"] - 0.2) ** 2


def points(score: Callable[[dict], float], count: int = 40, source: str = "earlier", same: bool = False) -> list[Point]:
    generator = np.random.default_rng(5)
    drawn = [dict(zip(KNOBS, map(float, generator.random(6)), strict=True)) for _ in range(count)]
    return [Point(source, f"{source}:{n}", values, score(values), None, same) for n, values in enumerate(drawn)]


def search(known: list[Point] | None, count: int, seed: int = 0, earlier: tuple = ()) -> list[dict]:
    prior = None if known is None else Prior(tuple(known))
    sampler = Sampler(SPACE, BASE, seed, method="gp", prior=prior, earlier=earlier)
    found = []
    for _ in range(count):
        asked = sampler.ask()
        found.append(asked.values)
        sampler.tell(asked.number, "completed", bowl(asked.values))
    return found


def test_the_posterior_with_a_trend_is_that_of_the_formulas() -> None:
    generator = np.random.default_rng(0)
    x, y, there = generator.random((6, 2)), generator.normal(size=6), generator.random((4, 2))
    trend = Trend(lambda f: torch.from_numpy(np.stack([f[:, 0] ** 2, 1 - f[:, 1]], axis=1)), torch.zeros(2))
    parameters = Hyperparameters(torch.tensor([0.5, 2.0], dtype=torch.float64), 1.5, 0.1, by_trend=True)
    process = GaussianProcess(x, y, parameters, np.array([0, 1]), mean=0.3, trend=trend)

    def columns(f: np.ndarray) -> np.ndarray:
        return np.stack([f[:, 0] ** 2, 1 - f[:, 1]], axis=1)

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        r = np.sqrt(5) * np.linalg.norm((a[:, None] - b[None]) / [0.5, 2.0], axis=2)
        return 1.5 * (1 + r + r**2 / 3) * np.exp(-r) + FACTOR_SPREAD**2 * columns(a) @ columns(b).T

    def before(f: np.ndarray) -> np.ndarray:
        return 0.3 + FACTOR * columns(f).mean(axis=1)

    inverse, cross = np.linalg.inv(kernel(x, x) + (0.1 + 1e-6) * np.eye(6)), kernel(there, x)
    means, variances = process.predict(there)
    assert means.numpy() == pytest.approx(before(there) + cross @ inverse @ (y - before(x)), rel=1e-5)
    assert variances.numpy() == pytest.approx(np.diag(kernel(there, there) - cross @ inverse @ cross.T), rel=1e-5)
    assert process.mean_at(there).numpy() == pytest.approx(means.numpy())
    functions = np.array([process.draw(there, generator).numpy() for _ in range(2000)])
    assert functions.var(axis=0) == pytest.approx(variances.numpy(), rel=0.2, abs=0.02)
    without = GaussianProcess(x, y, Hyperparameters(parameters.lengths, 1.5, 0.1), np.array([0, 1]), trend=trend)
    assert without.trend is None, "what was fitted without it is used without it"


def turns_of_the_trend(score: Callable[[dict], float], count: int = 12) -> float:
    """The part of questions that the trend gets once trials at random have ended."""
    coordinates = Coordinates(SPACE)
    known = Elsewhere(coordinates, points(score), 0)
    generator = np.random.default_rng(1)
    rows = generator.random((count, 6))
    ends = np.array([bowl(coordinates.values(row)) for row in rows])
    values = (ends - ends.mean()) / ends.std()
    made, data = models.Models(coordinates, 0, 0), ModelData(rows, values, trend=known.trend(rows))
    return sum(made.hyperparameters("ends", number, data, 4).by_trend for number in range(5)) / 5


def test_a_trend_that_explains_the_trials_gets_all_questions_and_one_that_does_not_gets_few() -> None:
    assert turns_of_the_trend(bowl) == 1.0
    # a strong trend of knobs that do nothing here: after a dozen trials it is dropped
    assert turns_of_the_trend(lambda values: values["x4"] + values["x5"]) <= 0.4


def test_a_trend_is_standardised_where_this_search_has_been_and_centred_at_the_lengths_of_its_source() -> None:
    coordinates = Coordinates(SPACE)
    known = Elsewhere(coordinates, points(bowl), 0)
    near = np.tile(coordinates.rows([BASE]), (12, 1))
    near[:, 0] = np.linspace(0.6, 0.9, 12)
    trend = known.trend(near)
    assert trend is not None
    columns = trend.columns(coordinates.features(near))
    assert float(columns.mean()) == pytest.approx(0, abs=1e-9) and 0.3 < float(columns.std()) <= 1.05
    assert trend.log_lengths[:2].max() < trend.log_lengths[2:].min(), "the knobs that matter are known"


def test_two_sources_are_two_columns_and_results_of_the_same_question_are_observations() -> None:
    coordinates = Coordinates(SPACE)
    known = Elsewhere(
        coordinates, [*points(bowl), *points(bowl, source="b"), *points(bowl, 5, source="c", same=True)], 0
    )
    rows = np.random.default_rng(0).random((5, 6))
    assert known.trend(rows).columns(coordinates.features(rows)).shape == (5, 2)
    assert [end.value for end in known.same] == [point.score for point in points(bowl, 5, source="c")]
    assert Elsewhere(coordinates, points(bowl, same=True), 0).trend(rows) is None


@pytest.mark.parametrize("few", [points(bowl, 1), points(lambda values: 3.0, 5)], ids=["one point", "equal scores"])
def test_a_source_that_says_nothing_changes_no_prediction(few) -> None:
    coordinates = Coordinates(SPACE)
    rows = np.random.default_rng(0).random((9, 6))
    trend = Elsewhere(coordinates, few, 0).trend(rows)
    assert trend is not None and float(trend.columns(coordinates.features(rows)).abs().max()) < 1e-3
    assert len(search(few, 6)) == 6


def test_the_best_known_places_are_looked_at_and_none_that_was_tried() -> None:
    coordinates = Coordinates(SPACE)
    known = Elsewhere(coordinates, points(bowl), 0)
    best = min(points(bowl), key=lambda point: point.score)
    assert coordinates.rows([best.values])[0].tolist() in known.best.tolist() and len(known.best) == elsewhere.BEST
    generator = np.random.default_rng(0)
    first = known.point(0, set(), generator)
    assert bowl(coordinates.values(first)) < 2.1 < bowl(BASE)
    tried = {elsewhere.row_bytes(row) for row in known.best}
    assert elsewhere.row_bytes(known.point(0, tried, generator)) not in tried


def test_a_good_prior_finds_in_four_trials_what_none_does_not_in_fourteen_and_a_wrong_one_is_got_over() -> None:
    def best(known: list[Point] | None, count: int) -> float:
        return max(min(map(bowl, search(known, count, seed))) for seed in range(2))

    assert best(points(bowl), 4) < 2.01 and best(None, 14) > 2.1
    assert best(points(lambda values: 9 - bowl(values)), 12) < 2.05
    assert best(points(lambda values: values["x4"] + values["x5"]), 12) < 2.05


def test_every_second_of_the_first_points_is_near_the_base_and_the_others_are_where_others_were_good() -> None:
    found = search(points(bowl), WITH_TREND)
    changed = [sum(values[path] != BASE[path] for path in KNOBS) for values in found]
    assert changed[0] == 0 and all(1 <= changed[n] <= 4 for n in range(2, WITH_TREND, 2))
    assert all(bowl(found[n]) < 2.2 for n in (1, 3)), "before there are ends enough for a model"


def test_a_resume_with_the_same_rows_asks_for_the_same() -> None:
    first = search(points(bowl), 7)
    earlier = tuple(TrialEnd(values, "completed", bowl(values)) for values in first)
    again = [search(points(bowl), 2, earlier=earlier) for _ in range(2)]
    assert again[0] == again[1] and not any(values in first for values in again[0])


def test_results_that_this_search_could_have_measured_make_a_model_before_its_own_trials_do() -> None:
    same = points(bowl, 20, same=True)
    best = min(point.score for point in same)
    second, third = search(same, 4)[1::2]
    assert bowl(second) <= best + 0.05 and math.isfinite(bowl(third)) and bowl(third) <= best + 0.05
