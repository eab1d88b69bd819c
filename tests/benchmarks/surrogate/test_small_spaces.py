"""The small forms of spaces, and what fits into their memory."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.surrogate import draws, small_spaces
from trainable.component_paths import with_values


def test_a_third_of_random_runs_do_not_fit_and_the_base_does(small) -> None:
    generator, fits = np.random.default_rng(0), []
    for _ in range(300):
        try:
            config = small.config(draws.at_random(small.space, generator))
        except ValueError:
            continue
        fits.append(small.fits(config))
    assert 0.25 < 1 - np.mean(fits) < 0.42
    assert small.fits(small.base)


@pytest.mark.parametrize(
    "change",
    [
        {"model.num_layers": 6},
        {"model.model_dim": 64},
        {"model.mlp_mult": 4.0},
        {"data.batch_tokens": 1024},
        {"model.tie_embeddings": False},
        {"hooks.WeightAverage.decay": 0.9},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_makes_a_run_larger_takes_more_bytes(small, change) -> None:
    assert small_spaces.estimated_bytes(with_values(small.base, change)) > small_spaces.estimated_bytes(small.base)


def test_the_base_is_a_point_of_each_small_space() -> None:
    for name in ("parameter_golf", "ngpt"):
        small = small_spaces.load(name)
        assert small.config(small.space.values_of(small.base)) == small.base


def test_a_space_without_a_small_form_is_refused() -> None:
    with pytest.raises(ValueError, match="no small form of the space 'mainrun'"):
        small_spaces.load("mainrun")
