"""What a prior does to a search: a good one shortens it, a misleading one is dropped, and any is forgotten."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import optuna
import pytest

from search_spaces.domains import LogUniform, Uniform
from search_spaces.space import Knob, Scale, Space
from tuner.sampler import Sampler, distribution
from tuner.warm_start import Point, Prior

PATHS = ("optimizer.matrix_lr", "optimizer.scalar_lr", "optimizer.muon_momentum", "model.logit_softcap")
BEST = {"optimizer.matrix_lr": 0.1, "optimizer.scalar_lr": 0.02, "optimizer.muon_momentum": 0.93}
BEST |= {"model.logit_softcap": 15.0}
NEAR = 0.35  # of the way from the base's value to the optimum's, which is 0


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


def trials_until(space: Space, seed: int, prior: Prior | None, goal: float = 0.2, limit: int = 80) -> int:
    """Trials that a search needs to come as near to the bottom as ``goal``."""
    base = {"optimizer.matrix_lr": 0.015, "optimizer.scalar_lr": 0.09, "optimizer.muon_momentum": 0.81}
    sampler = Sampler(space, base | {"model.logit_softcap": 45.0}, seed, prior=prior)
    for number in range(1, limit + 1):
        asked = sampler.ask()
        value = height(space, asked.values)
        if value <= goal:
            return number
        sampler.tell(asked.number, "completed", value)
    return limit


def test_a_warm_search_needs_fewer_trials_to_a_known_optimum_than_a_cold_one(bowl) -> None:
    prior = points_of(bowl, lambda values: height(bowl, values))
    cold = sorted(trials_until(bowl, seed, None) for seed in range(7))
    warm = sorted(trials_until(bowl, seed, prior) for seed in range(7))
    print("COLD", cold, "WARM", warm)
    assert warm[3] * 2 <= cold[3], "medians"


def test_a_misleading_prior_is_dropped_and_the_optimum_is_still_found(bowl) -> None:
    prior = points_of(bowl, lambda values: 1.4 - height(bowl, values))
    cold = sorted(trials_until(bowl, seed, None) for seed in range(7))
    misled = sorted(trials_until(bowl, seed, prior) for seed in range(7))
    print("COLD", cold, "MISLED", misled)
    assert misled[3] <= cold[3] + 10 and misled[-1] < 80
