"""Gaussian process with a Matern kernel (nu = 2.5), a length for each knob, and noise of each observation.

Lengths, scale and noise are those of the highest posterior density, found by L-BFGS on standardised values, or drawn
from their posterior: where few values leave open which knobs matter, no one setting of lengths is right. The prior of a
length is wide and grows with the root of the number of knobs (Hvarfner et al. 2024), so that in a space of many knobs a
few observations do not make each of them matter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

LENGTH, LENGTH_SPREAD = 0.3, 1.0  # prior of a length: median for one knob, and standard deviation of its logarithm
NOISE, NOISE_SPREAD = 0.02, 1.0  # the same of the noise's part of the variance
SCALE_SPREAD = 0.5  # of the logarithm of the kernel's variance around 1
ITERATIONS = 30
FARTHEST = 4.0  # standard deviations of the prior, beyond which no maximum is looked for
THINNED, MOST_SHRINKS = 8, 30  # steps between two draws of hyperparameters, and tries in a step
JITTER = 1e-6
DTYPE = torch.float64


@dataclass(frozen=True)
class Hyperparameters:
    """Lengths (one a knob), and variances of the kernel and the noise, of standardised values."""

    lengths: torch.Tensor
    scale: float
    noise: float


class GaussianProcess:
    """Posterior of values (n,) at features (n, features), whose standardised mean is ``mean``.

    ``extra`` (n,) is noise of single observations beside the common one, as a variance of standardised values.
    """

    def __init__(
        self,
        features: np.ndarray,
        values: np.ndarray,
        parameters: Hyperparameters,
        knob_of_feature: np.ndarray,
        extra: np.ndarray | None = None,
        mean: float = 0.0,
    ) -> None:
        self.parameters, self.mean = parameters, mean
        self._lengths = parameters.lengths[torch.from_numpy(knob_of_feature)]
        self._inputs = torch.from_numpy(features) / self._lengths
        noise = (
            parameters.noise
            + JITTER
            + (torch.zeros(len(values), dtype=DTYPE) if extra is None else torch.from_numpy(extra))
        )
        covariance = parameters.scale * matern(self._inputs, self._inputs) + torch.diag(noise)
        self._factor = torch.linalg.cholesky(covariance)
        centred = torch.from_numpy(values) - mean
        self._weights = torch.cholesky_solve(centred[:, None], self._factor)[:, 0]

    def predict(self, features: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance at features, without noise."""
        cross = self._cross(features)
        explained = torch.linalg.solve_triangular(self._factor, cross.T, upper=False)
        variance = self.parameters.scale - (explained**2).sum(dim=0)
        return self.mean + cross @ self._weights, variance.clamp_min(1e-9)

    def mean_at(self, features: np.ndarray) -> torch.Tensor:
        """Mean at features."""
        return self.mean + self._cross(features) @ self._weights

    def draw(self, features: np.ndarray, generator: np.random.Generator) -> torch.Tensor:
        """One function drawn from the posterior, at features."""
        inputs = torch.from_numpy(features) / self._lengths
        cross = self._cross(features)
        explained = torch.linalg.solve_triangular(self._factor, cross.T, upper=False)
        covariance = self.parameters.scale * matern(inputs, inputs) - explained.T @ explained
        factor, _ = torch.linalg.cholesky_ex(covariance + 1e-4 * torch.eye(len(inputs), dtype=DTYPE))
        noise = torch.from_numpy(generator.normal(size=len(inputs)))
        found: torch.Tensor = self.mean + cross @ self._weights + factor @ noise
        return found

    def _cross(self, features: np.ndarray) -> torch.Tensor:
        return self.parameters.scale * matern(torch.from_numpy(features) / self._lengths, self._inputs)


def matern(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Correlations between scaled inputs (n, features) and (m, features): the Matern kernel with nu = 2.5."""
    square = (one**2).sum(dim=1)[:, None] + (other**2).sum(dim=1)[None, :] - 2 * one @ other.T
    distance = (5 * square.clamp_min(1e-12)).sqrt()
    return (1 + distance + distance**2 / 3) * torch.exp(-distance)


class Likelihood:
    """Likelihood of hyperparameters, given as offsets from the prior's medians in its standard deviations."""

    def __init__(
        self,
        features: np.ndarray,
        values: np.ndarray,
        knob_of_feature: np.ndarray,
        extra: np.ndarray | None = None,
        mean: float = 0.0,
    ) -> None:
        num_knobs = int(knob_of_feature.max()) + 1
        length = math.log(LENGTH * math.sqrt(num_knobs))
        self.middle = torch.tensor([*[length] * num_knobs, 0.0, math.log(NOISE)], dtype=DTYPE)
        self.spread = torch.tensor([*[LENGTH_SPREAD] * num_knobs, SCALE_SPREAD, NOISE_SPREAD], dtype=DTYPE)
        self.inputs, self.knob = torch.from_numpy(features), torch.from_numpy(knob_of_feature)
        self.added = torch.zeros(len(values), dtype=DTYPE) if extra is None else torch.from_numpy(extra)
        self.centred = torch.from_numpy(values)[:, None] - mean

    def __call__(self, offsets: torch.Tensor) -> torch.Tensor:
        """The logarithm, but for a constant; minus infinity where it cannot be computed."""
        logs = self.middle + self.spread * offsets
        scaled = self.inputs / logs[:-2].exp()[self.knob]
        noise = torch.diag(logs[-1].exp() + JITTER + self.added)
        factor, failed = torch.linalg.cholesky_ex(logs[-2].exp() * matern(scaled, scaled) + noise)
        if failed:
            return torch.tensor(-math.inf, dtype=DTYPE)
        fit = (self.centred * torch.cholesky_solve(self.centred, factor)).sum() / 2
        found: torch.Tensor = -fit - factor.diagonal().log().sum()
        return found

    def hyperparameters(self, offsets: torch.Tensor) -> Hyperparameters:
        logs = self.middle + self.spread * offsets
        return Hyperparameters(logs[:-2].exp(), float(logs[-2].exp()), float(logs[-1].exp()))


def most_likely(likelihood: Likelihood) -> torch.Tensor:
    """The offsets of the highest posterior density."""
    offsets = torch.zeros_like(likelihood.middle, requires_grad=True)
    optimizer = torch.optim.LBFGS([offsets], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (offsets**2).sum() / 2 - likelihood(offsets)
        if torch.isfinite(loss):
            loss.backward()  # type: ignore[no-untyped-call]
        return loss

    with torch.enable_grad():
        optimizer.step(closure)  # type: ignore[no-untyped-call]
    return torch.nan_to_num(offsets.detach()).clamp(-FARTHEST, FARTHEST)


def drawn(
    likelihood: Likelihood, start: torch.Tensor, count: int, generator: np.random.Generator
) -> list[torch.Tensor]:
    """Offsets drawn from the posterior by elliptical slice sampling (Murray et al. 2010), a few steps apart."""
    found, offsets, level = [], start, float(likelihood(start))
    for step in range(count * THINNED):
        other = torch.from_numpy(generator.normal(size=len(start)))
        threshold = level + math.log(generator.random() + 1e-300)
        angle = generator.random() * 2 * math.pi
        low, high = angle - 2 * math.pi, angle
        for _ in range(MOST_SHRINKS):
            proposed = offsets * math.cos(angle) + other * math.sin(angle)
            level_there = float(likelihood(proposed))
            if level_there > threshold:
                offsets, level = proposed, level_there
                break
            low, high = (angle, high) if angle < 0 else (low, angle)
            angle = low + generator.random() * (high - low)
        if (step + 1) % THINNED == 0:
            found.append(offsets)
    return found
