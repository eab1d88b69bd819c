"""Student's t: its quantile for a two-sided test and its lower tail, all that is needed of it, so that scipy is not."""

from __future__ import annotations

import math
from functools import cache


@cache  # the same few are asked for again and again
def two_sided_quantile(confidence: float, degrees_of_freedom: int) -> float:
    """The t that a Student variable stays below in absolute value with probability ``confidence``."""
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence is {confidence!r} but must be between 0 and 1")
    if degrees_of_freedom < 1:
        raise ValueError(f"degrees_of_freedom is {degrees_of_freedom!r} but must be at least 1")
    low, high = 0.0, math.pi / 2
    for _ in range(60):  # halvings: more than a float has digits
        angle = (low + high) / 2
        low, high = (angle, high) if _probability(angle, degrees_of_freedom) < confidence else (low, angle)
    return math.sqrt(degrees_of_freedom) * math.tan((low + high) / 2)


def lower_tail(t: float, degrees_of_freedom: int) -> float:
    """The probability that a Student variable is below ``t``."""
    between = _probability(math.atan(abs(t) / math.sqrt(degrees_of_freedom)), degrees_of_freedom)
    return (1 - between) / 2 if t < 0 else (1 + between) / 2


def _probability(angle: float, degrees_of_freedom: int) -> float:
    """P(|T| <= t) where t is sqrt(degrees of freedom) * tan(angle).

    A finite sum for whole degrees of freedom: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3-4.
    """
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees_of_freedom % 2
    term = total = cosine if odd else 1.0
    for power in range(2 + odd, degrees_of_freedom, 2):
        term *= cosine**2 * (power - 1) / power
        total += term
    if not odd:
        return sine * total
    return (angle + sine * total) * 2 / math.pi if degrees_of_freedom > 1 else angle * 2 / math.pi
