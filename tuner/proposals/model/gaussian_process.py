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

from tuner.proposals.model.trend import Trend

LENGTH, LENGTH_SPREAD = 0.3, 1.0  # prior of a length: median for one knob, and standard deviation of its logarithm
NOISE, NOISE_SPREAD = 0.02, 1.0  # the same of the noise's part of the variance
SCALE_SPREAD = 0.5  # of the logarithm of the kernel's variance around 1
BESIDE_A_TREND, BESIDE_SPREAD = 0.5, 1.0  # the same where a trend may explain the greater part
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
    by_trend: bool = False  # fitted with the trend from elsewhere, and to be used with it


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
        trend: Trend | None = None,
    ) -> None:
        self.parameters, self.mean = parameters, mean
        self.trend = trend if parameters.by_trend else None
        self._lengths = parameters.lengths[torch.from_numpy(knob_of_feature)]
        self._inputs = torch.from_numpy(features) / self._lengths
        noise = (
            parameters.noise
            + JITTER
            + (torch.zeros(len(values), dtype=DTYPE) if extra is None else torch.from_numpy(extra))
        )
        covariance = parameters.scale * matern(self._inputs, self._inputs) + torch.diag(noise)
        centred = torch.from_numpy(values) - mean
        if self.trend is not None:
            self._columns = self.trend.columns(features)
            covariance = covariance + self.trend.covariance(self._columns, self._columns)
            centred = centred - self.trend.mean(self._columns)
        self._factor = torch.linalg.cholesky(covariance)
        self._weights = torch.cholesky_solve(centred[:, None], self._factor)[:, 0]

    def predict(self, features: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance at features, without noise."""
        before, cross, columns = self._before(features)
        explained = torch.linalg.solve_triangular(self._factor, cross.T, upper=False)
        variance = self.parameters.scale - (explained**2).sum(dim=0)
        if self.trend is not None and columns is not None:
            variance = variance + self.trend.variance(columns)
        return before + cross @ self._weights, variance.clamp_min(1e-9)

    def mean_at(self, features: np.ndarray) -> torch.Tensor:
        """Mean at features."""
        before, cross, _ = self._before(features)
        return before + cross @ self._weights

    def draw(self, features: np.ndarray, generator: np.random.Generator) -> torch.Tensor:
        """One function drawn from the posterior, at features."""
        inputs = torch.from_numpy(features) / self._lengths
        before, cross, columns = self._before(features)
        explained = torch.linalg.solve_triangular(self._factor, cross.T, upper=False)
        covariance = self.parameters.scale * matern(inputs, inputs) - explained.T @ explained
        if self.trend is not None and columns is not None:
            covariance = covariance + self.trend.covariance(columns, columns)
        factor, _ = torch.linalg.cholesky_ex(covariance + 1e-4 * torch.eye(len(inputs), dtype=DTYPE))
        noise = torch.from_numpy(generator.normal(size=len(inputs)))
        found: torch.Tensor = before + cross @ self._weights + factor @ noise
        return found

    def _before(self, features: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """The mean before any data, covariances with the data, and the trend's columns, at features."""
        cross = self.parameters.scale * matern(torch.from_numpy(features) / self._lengths, self._inputs)
        before = torch.full((len(features),), self.mean, dtype=DTYPE)
        if self.trend is None:
            return before, cross, None
        columns = self.trend.columns(features)
        return before + self.trend.mean(columns), cross + self.trend.covariance(columns, self._columns), columns


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
        trend: Trend | None = None,
    ) -> None:
        num_knobs = int(knob_of_feature.max()) + 1
        length = math.log(LENGTH * math.sqrt(num_knobs))
        scale, scale_spread = (0.0, SCALE_SPREAD) if trend is None else (math.log(BESIDE_A_TREND), BESIDE_SPREAD)
        self.middle = torch.tensor([*[length] * num_knobs, scale, math.log(NOISE)], dtype=DTYPE)
        self.spread = torch.tensor([*[LENGTH_SPREAD] * num_knobs, scale_spread, NOISE_SPREAD], dtype=DTYPE)
        self.inputs, self.knob = torch.from_numpy(features), torch.from_numpy(knob_of_feature)
        self.added = torch.zeros(len(values), dtype=DTYPE) if extra is None else torch.from_numpy(extra)
        self.added = torch.diag(self.added + JITTER)
        self.centred = torch.from_numpy(values)[:, None] - mean
        self.by_trend = trend is not None
        if trend is not None:
            self.middle[:-2] = trend.log_lengths
            columns = trend.columns(features)
            self.added = self.added + trend.covariance(columns, columns)
            self.centred = self.centred - trend.mean(columns)[:, None]

    def __call__(self, offsets: torch.Tensor) -> torch.Tensor:
        """The logarithm, but for a constant; minus infinity where it cannot be computed."""
        logs = self.middle + self.spread * offsets
        scaled = self.inputs / logs[:-2].exp()[self.knob]
        noise = logs[-1].exp() * torch.eye(len(self.centred), dtype=DTYPE) + self.added
        factor, failed = torch.linalg.cholesky_ex(logs[-2].exp() * matern(scaled, scaled) + noise)
        if failed:
            return torch.tensor(-math.inf, dtype=DTYPE)
        fit = (self.centred * torch.cholesky_solve(self.centred, factor)).sum() / 2
        found: torch.Tensor = -fit - factor.diagonal().log().sum()
        return found

    def hyperparameters(self, offsets: torch.Tensor) -> Hyperparameters:
        logs = self.middle + self.spread * offsets
        return Hyperparameters(logs[:-2].exp(), float(logs[-2].exp()), float(logs[-1].exp()), self.by_trend)

    def density(self, offsets: torch.Tensor) -> float:
        """The logarithm of the posterior density of offsets, but for a constant that is the same for all models."""
        return float(self(offsets) - (offsets**2).sum() / 2)


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
