"""Made-up trainings of the small golf space: their ends follow from two knobs, and a seed moves them a little."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pytest

from benchmarks.surrogate import draws, models, small_spaces
from benchmarks.surrogate.small_spaces import SmallSpace
from benchmarks.surrogate.trainings import Training
from search_spaces.domains import Value
from tuner.failures import OUT_OF_MEMORY

NOISE = 0.02  # the standard deviation over seeds
POINTS = 4  # of a training curve
EACH = 2  # seeds of every fifth config


def end_of(values: Mapping[str, Value]) -> float:
    """The end of a config over its seeds: best at a high rate, and better untied."""
    rate, tied = values["optimizer.matrix_lr"], values["model.tie_embeddings"]
    assert isinstance(rate, float)
    return 3.0 + 0.3 * math.log(rate / 0.15) ** 2 + 0.2 * bool(tied)


def made_up_training(small: SmallSpace, values: Mapping[str, Value], seed: int) -> Training:
    """A run whose way says little about its end, and whose seconds are those of its steps."""
    generator = np.random.default_rng(seed)
    try:
        config = small.config(values)
    except ValueError:
        return Training("random", values, seed, "infeasible", (), (), 0.0)
    if not small.fits(config):
        return Training("random", values, seed, OUT_OF_MEMORY, (), (), 0.0)
    end = end_of(values) + NOISE * float(generator.normal())
    rungs = (*(end + 1 / part * (1 + 0.3 * float(generator.normal())) for part in (1, 2, 4)), end)
    seconds = 1024 / config.data.batch_tokens
    return Training("random", values, seed, "completed", rungs, tuple(end + 1 for _ in range(POINTS)), seconds)


@pytest.fixture(scope="session", autouse=True)
def small_models() -> Iterator[None]:
    """Fewer trees, and lengths that are fitted on fewer points."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "TREES", 40)
        patch.setattr(models, "FITTED_ON", 80)
        yield


@pytest.fixture(scope="session")
def made_up_end() -> Callable[[Mapping[str, Value]], float]:
    return end_of


@pytest.fixture(scope="session")
def small() -> SmallSpace:
    return small_spaces.load("parameter_golf")


@pytest.fixture(scope="session")
def made_up(small) -> list[Training]:
    """Runs of 110 random configs, every fifth with two seeds."""
    generator, found = np.random.default_rng(1), []
    for number in range(110):
        values = draws.at_random(small.space, generator)
        seeds = EACH if number % 5 == 0 else 1
        found += [made_up_training(small, values, EACH * number + seed) for seed in range(seeds)]
    return found
