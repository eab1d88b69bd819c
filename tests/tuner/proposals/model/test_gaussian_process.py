"""The posterior, held against the textbook's formulas, and hyperparameters against data that were made with them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from tuner.proposals.model.acquisition import log_chance, log_expected_improvement
from tuner.proposals.model.gaussian_process import (
    GaussianProcess,
    Hyperparameters,
    Likelihood,
    drawn,
    matern,
    most_likely,
)

KNOBS = np.array([0, 1])


def some(lengths=(0.5, 2.0), scale=1.5, noise=0.1) -> Hyperparameters:
    return Hyperparameters(torch.tensor(lengths, dtype=torch.float64), scale, noise)


def test_the_posterior_is_that_of_the_formulas() -> None:
    generator = np.random.default_rng(0)
    x, y, there = generator.random((6, 2)), generator.normal(size=6), generator.random((4, 2))
    extra, mean = np.array([0.0, 0.0, 0.5, 0.0, 2.0, 0.0]), 0.3
    process = GaussianProcess(x, y, some(), KNOBS, extra, mean)

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        r = np.sqrt(5) * np.linalg.norm((a[:, None] - b[None]) / [0.5, 2.0], axis=2)
        return 1.5 * (1 + r + r**2 / 3) * np.exp(-r)

    inverse = np.linalg.inv(kernel(x, x) + np.diag(0.1 + 1e-6 + extra))
    cross = kernel(there, x)
    means, variances = process.predict(there)
    assert means.numpy() == pytest.approx(mean + cross @ inverse @ (y - mean), rel=1e-6)
    assert variances.numpy() == pytest.approx(1.5 - np.einsum("ij,jk,ik->i", cross, inverse, cross), rel=1e-6)
    assert process.mean_at(there).numpy() == pytest.approx(means.numpy())


def test_functions_that_are_drawn_have_the_posteriors_mean_and_spread() -> None:
    generator = np.random.default_rng(1)
    process = GaussianProcess(generator.random((5, 2)), generator.normal(size=5), some(), KNOBS)
    there = generator.random((3, 2))
    functions = np.array([process.draw(there, generator).numpy() for _ in range(2000)])
    means, variances = process.predict(there)
    assert functions.mean(axis=0) == pytest.approx(means.numpy(), abs=0.1)
    assert functions.var(axis=0) == pytest.approx(variances.numpy(), rel=0.2)


def made(count: int) -> Likelihood:
    """Values that depend on the first of two knobs alone, with little noise."""
    generator = np.random.default_rng(2)
    x = generator.random((count, 2))
    y = np.sin(6 * x[:, 0]) + 0.05 * generator.normal(size=count)
    return Likelihood(x, (y - y.mean()) / y.std(), KNOBS)


def test_a_knob_that_does_nothing_gets_a_long_length_and_the_noise_is_found() -> None:
    likelihood = made(40)
    found = likelihood.hyperparameters(most_likely(likelihood))
    assert found.lengths[1] > 3 * found.lengths[0] and found.noise < 0.02


def test_draws_of_hyperparameters_spread_around_the_most_likely_ones_and_less_with_more_data() -> None:
    spreads = []
    for count in (6, 40):
        likelihood = made(count)
        draws = torch.stack(drawn(likelihood, most_likely(likelihood), 30, np.random.default_rng(3)))
        spreads.append(float(draws[:, 0].std()))
    assert 0 < spreads[1] < spreads[0] < 1.5


def test_matern_falls_from_one_with_distance() -> None:
    x = torch.tensor([[0.0], [1.0], [3.0]], dtype=torch.float64)
    found = matern(x, x)[0]
    assert found[0] == pytest.approx(1) and found[1] == pytest.approx(0.52399, abs=1e-4) and found[2] < found[1]


@pytest.mark.parametrize("better", [3.0, 0.0, -0.5, -1.5, -5.0, -30.0])
def test_the_logarithm_of_expected_improvement_is_exact_near_and_far(better: float) -> None:
    deviation = 0.4
    mean, variance = torch.tensor([-better * deviation]).double(), torch.tensor([deviation**2]).double()
    found = float(log_expected_improvement(mean, variance, 0.0))
    if better > -10:
        exact = math.log(deviation * (better * norm.cdf(better) + norm.pdf(better)))
    else:  # phi(u) / u^2, the leading terms
        exact = math.log(deviation) + norm.logpdf(better) - 2 * math.log(-better) + math.log1p(-3 / better**2)
    assert found == pytest.approx(exact, rel=1e-4)


def test_a_chance_is_never_surer_than_the_blur() -> None:
    mean, variance = torch.tensor([1.0, 1.0]).double(), torch.tensor([1e-9, 1.0]).double()
    assert log_chance(mean, variance, 0.5).exp().tolist() == pytest.approx([norm.cdf(2), norm.cdf(1)])
