"""What a prior does to a search: a good one shortens it, a misleading one is dropped, and any is forgotten."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from search_spaces.domains import LogUniform, Uniform
from search_spaces.space import Knob, Scale, Space
from tuner.proposals.prior_sampler import PRIOR_TRIALS, PriorSampler, spread
from tuner.proposals.sampler import Sampler, distribution
from tuner.proposals.warm_start import Point, Prior

PATHS = ("optimizer.matrix_lr", "optimizer.scalar_lr", "optimizer.muon_momentum", "model.logit_softcap")
BEST = {"optimizer.matrix_lr": 0.1, "optimizer.scalar_lr": 0.02, "optimizer.muon_momentum": 0.93}
BEST |= {"model.logit_softcap": 15.0}
BASE = {"optimizer.matrix_lr": 0.015, "optimizer.scalar_lr": 0.09, "optimizer.muon_momentum": 0.81}
BASE |= {"model.logit_softcap": 45.0}
SEEDS, LIMIT, EARLY = range(40), 80, 18


@pytest.fixture(scope="module")
def bowl(toy_base) -> Space:
    """Four rates around a known optimum."""
    domains = (LogUniform(0.01, 1.0), LogUniform(0.001, 0.1), Uniform(0.8, 0.98), LogUniform(5.0, 50.0))
    knobs = tuple(Knob(path, domain, "a bowl") for path, domain in zip(PATHS, domains, strict=True))
    return Space("bowl", "Where is the bottom?", "val_bpb", {"proxy": Scale(toy_base, 9, "made up")}, knobs)


def unit(space: Space, values: dict) -> list[float]:
    """Values as parts of their ranges."""
    found = []
    for knob in space.knobs:
        low, high, value = knob.domain.low, knob.domain.high, values[knob.path]
        if isinstance(knob.domain, LogUniform):
            low, high, value = math.log(low), math.log(high), math.log(value)
        found.append((value - low) / (high - low))
    return found


def height(space: Space, values: dict) -> float:
    return math.dist(unit(space, values), unit(space, BEST))


def points_of(space: Space, score: Callable[[dict], float], count: int = 40) -> Prior:
    """Random configs with the scores of a campaign on another scale."""
    draw = random.Random(1)
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=2))
    points = []
    for number in range(count):
        asked = trial.ask({k.path: distribution(k.domain) for k in space.knobs})
        noise = draw.gauss(0, 0.01)
        points.append(
            Point("elsewhere", str(number), asked.params, 4.0 + 0.5 * score(asked.params) + noise, 4.0 + 0.35)
        )
    return Prior(tuple(points))


def trials_until(space: Space, seed: int, prior: Prior | None, goal: float = 0.12, limit: int = LIMIT) -> int:
    """Trials that a search needs to come as near to the bottom as ``goal``."""
    sampler = Sampler(space, BASE, seed, prior=prior)
    for number in range(1, limit + 1):
        asked = sampler.ask()
        value = height(space, asked.values)
        if value <= goal:
            return number
        sampler.tell(asked.number, "completed", value)
    return limit


@pytest.fixture(scope="module")
def cold(bowl) -> list[int]:
    return sorted(trials_until(bowl, seed, None, limit=LIMIT // 2) for seed in SEEDS)  # half of them need fewer


def test_a_warm_search_comes_to_a_known_optimum_early_more_often_than_a_cold_one(bowl, cold) -> None:
    prior = points_of(bowl, lambda values: height(bowl, values))
    warm = sorted(trials_until(bowl, seed, prior, limit=EARLY + 1) for seed in SEEDS)
    early_warm, early_cold = (sum(needed <= EARLY for needed in found) for found in (warm, cold))
    assert early_warm >= early_cold + 5, f"{warm}, cold {cold}"


def test_a_misleading_prior_is_dropped_and_the_optimum_is_still_found(bowl, cold) -> None:
    prior = points_of(bowl, lambda values: 1.4 - height(bowl, values))
    misled = sorted(trials_until(bowl, seed, prior) for seed in SEEDS)
    assert max(misled) < LIMIT and median(misled) <= median(cold) + 10, f"{misled}, cold {cold}"


def of_bowl(space: Space, points: tuple[Point, ...]) -> PriorSampler:
    domains = {knob.path: distribution(knob.domain) for knob in space.knobs}
    return PriorSampler(lambda number: optuna.samplers.RandomSampler(), points, BASE, domains)


def own(space: Space, values: dict, value: float, state: TrialState = TrialState.COMPLETE, **more) -> FrozenTrial:
    domains = {knob.path: distribution(knob.domain) for knob in space.knobs}
    values_of = value if state == TrialState.COMPLETE else None
    return create_trial(state=state, value=values_of, params=values, distributions=domains, **more)


def test_a_prior_from_elsewhere_is_forgotten_one_by_one_and_keeps_best_and_worst_longest(bowl) -> None:
    points = points_of(bowl, lambda values: height(bowl, values)).points
    sampler, best, worst = of_bowl(bowl, points), min(points, key=lambda p: p.score), max(points, key=lambda p: p.score)
    for ended in (0, 10, PRIOR_TRIALS - 2):
        shown = sampler.shown([own(bowl, BASE, 1.0)] * ended)
        assert len(shown) == PRIOR_TRIALS - ended
        assert [shown[0].params, shown[-1].params] == [best.values, worst.values]
    assert sampler.shown([own(bowl, BASE, 1.0)] * PRIOR_TRIALS) == []


def test_results_of_the_same_scale_and_data_stay_at_their_values(bowl) -> None:
    points = tuple(replace(p, same=True) for p in points_of(bowl, lambda values: height(bowl, values)).points)
    shown = of_bowl(bowl, points).shown([own(bowl, BASE, 1.0)] * 100)
    assert [t.value for t in shown] == [p.score for p in points]


def test_what_a_difference_is_worth_here_is_measured_by_the_configs_tried_again(bowl) -> None:
    first, second = points_of(bowl, lambda values: height(bowl, values)).points[:2]
    points = (replace(first, score=3.0, reference=4.0), replace(second, score=3.8, reference=4.0))
    sampler, base = of_bowl(bowl, points), own(bowl, BASE, 2.0)
    assert [t.value for t in sampler.shown([base])] == [1.0, pytest.approx(1.8)], "as it stands until one is tried"
    tried = own(bowl, dict(first.values), 1.9)  # a tenth of what it was worth there
    assert [t.value for t in sampler.shown([base, tried])] == [pytest.approx(1.9), pytest.approx(1.98)]
    assert sampler.shown([base, own(bowl, dict(first.values), 2.3)]) == [], "the other way round: dropped"


def test_without_a_value_of_the_base_a_prior_stands_around_the_medians(bowl) -> None:
    some = points_of(bowl, lambda values: height(bowl, values)).points[:3]
    points = tuple(replace(p, score=score, reference=None) for p, score in zip(some, (5.0, 3.0, 4.0), strict=True))
    sampler = of_bowl(bowl, points)
    diverged = own(bowl, BASE, 0.0, TrialState.PRUNED)
    others = [own(bowl, dict(p.values) | {"model.logit_softcap": 9.0}, 2.0 + n) for n, p in enumerate(some)]
    assert [t.value for t in sampler.shown([diverged, *others])] == [2.0, 3.0, 4.0]
    assert [t.params for t in sampler.shown([diverged])] == [dict(some[n].values) for n in (1, 2, 0)]


def test_a_stopped_trial_speaks_at_the_last_milestone_that_the_base_reached_too(bowl) -> None:
    (first, *_) = points_of(bowl, lambda values: height(bowl, values)).points
    sampler = of_bowl(bowl, (replace(first, score=3.0, reference=4.0),))
    base = own(bowl, BASE, 2.0, intermediate_values={27: 3.0, 80: 2.5})
    stopped = own(bowl, dict(first.values), 0.0, TrialState.PRUNED, intermediate_values={27: 3.4})
    assert sampler.shown([base, stopped]) == []


def test_a_part_of_some_points_is_spread_over_all_of_them(bowl) -> None:
    points = points_of(bowl, lambda values: 0.0, count=9).points
    assert spread(points, 3) == [points[0], points[4], points[8]] and spread(points, 1) == [points[0]]
    assert spread(points, 20) == list(points) and spread(points, 0) == spread(points, -3) == []
