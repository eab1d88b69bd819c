"""Quantiles of the chi-square distribution: the interval of a standard deviation needs two, and so no scipy."""

from __future__ import annotations

import math
from functools import cache

HALVINGS = 200  # at most; they end where a float cannot be halved further


@cache
def chi_square_quantile(probability: float, degrees_of_freedom: int) -> float:
    """The value that a chi-square variable stays below with this probability.

    A ValueError for a probability that is not between 0 and 1, and for less than one degree of freedom.
    """
    if not 0.0 < probability < 1.0:
        raise ValueError(f"probability is {probability!r} but must be between 0 and 1")
    if degrees_of_freedom < 1:
        raise ValueError(f"degrees_of_freedom is {degrees_of_freedom!r} but must be at least 1")
    low, high = 0.0, 1.0
    while _probability(high, degrees_of_freedom) < probability:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if _probability(middle, degrees_of_freedom) < probability else (low, middle)
    return high


def _probability(value: float, degrees_of_freedom: int) -> float:
    """P(X <= value): a finite sum for whole degrees of freedom (Abramowitz and Stegun, 26.4.4-5).

    Each term is the one before times value / 2 over the next whole or half number; logarithms keep them in range.
    """
    half = value / 2
    odd = degrees_of_freedom % 2
    first = 0.5 if odd else 0.0
    log_half = math.log(half) if half > 0 else -math.inf
    terms = (first + step for step in range(degrees_of_freedom // 2))
    tail = sum(math.exp(k * log_half - half - math.lgamma(k + 1)) if half > 0 else float(k == 0) for k in terms)
    return (math.erf(math.sqrt(half)) if odd else 1.0) - tail


def sd_interval(sd: float, degrees_of_freedom: int, confidence: float) -> tuple[float, float]:
    """The interval that holds a true standard deviation with this confidence, from a measured one of normal values."""
    squares = sd * sd * degrees_of_freedom
    beyond = (1 - confidence) / 2
    low, high = (chi_square_quantile(p, degrees_of_freedom) for p in (1 - beyond, beyond))
    return math.sqrt(squares / low), math.sqrt(squares / high)
