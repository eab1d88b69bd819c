"""Chance of a ratio of two variances that are alike, by the F distribution: an integral, so that it needs no scipy."""

from __future__ import annotations

import math

NODES = 200  # of Gauss and Legendre's rule


def two_sided_chance(ratio: float, freedom: int, other_freedom: int) -> float:
    """Return the chance of a ratio of mean squares as far from 1, in either direction, where both are alike."""
    below = _probability(ratio, freedom, other_freedom)
    return min(1.0, 2 * min(below, 1 - below))


def _probability(ratio: float, freedom: int, other_freedom: int) -> float:
    """P(F <= ratio), as the incomplete beta function of sin^2 (Abramowitz and Stegun, 26.6.2)."""
    import numpy as np

    angle = math.atan(math.sqrt(ratio * freedom / other_freedom))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    angles = angle * (nodes + 1) / 2
    log_beta = math.lgamma(freedom / 2) + math.lgamma(other_freedom / 2) - math.lgamma((freedom + other_freedom) / 2)
    heights = np.sin(angles) ** (freedom - 1) * np.cos(angles) ** (other_freedom - 1)
    return float(min(1.0, (heights @ weights) * angle / math.exp(log_beta)))
