"""Trend of a Gaussian process: a mean that others found, known but for the factor by which it holds here.

The factor has a normal prior, so that it is integrated out: its prior mean times the trend is the mean of the process,
and its variance adds a linear kernel of the trend to the covariance ("explicit basis functions", Rasmussen and Williams
2006, section 2.7). So the factor follows the data, and what is not known of it makes predictions less sure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

FACTOR, FACTOR_SPREAD = 0.5, 0.5  # mean and standard deviation of the factor's prior; 1 where all comes back here


@dataclass(frozen=True)
class Trend:
    """Columns of a trend at features, one for each source, and the medians that the prior of the lengths then has."""

    columns: Callable[[np.ndarray], torch.Tensor]  # features (n, features) -> (n, sources), standardised as the values
    log_lengths: torch.Tensor  # (knobs,)

    def mean(self, columns: torch.Tensor) -> torch.Tensor:
        """The expected mean where the columns are as given."""
        return FACTOR * columns.mean(dim=1)

    def covariance(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """The covariance that comes of the unknown factors, between two sets of columns."""
        return FACTOR_SPREAD**2 * one @ other.T

    def variance(self, columns: torch.Tensor) -> torch.Tensor:
        """The diagonal of :meth:`covariance` of columns with themselves."""
        return FACTOR_SPREAD**2 * (columns**2).sum(dim=1)
