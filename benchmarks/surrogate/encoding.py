"""Points of a space as vectors, for models that know numbers only.

A number is its place in its range, by the logarithm where the domain is logarithmic. A choice of numbers is the place
of the label in their order, any other a column a label. A knob that is not active has the middle of its range, or no
label: so two points do not differ in what does nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from search_spaces.domains import Choice, Value
from search_spaces.space import Knob, Space

MIDDLE = 0.5
OF_LABELS = math.sqrt(0.5)  # so that two labels are as far apart as the two ends of a range


def is_ordered(knob: Knob) -> bool:
    """Tell whether the values of a knob have an order: numbers, and choices of numbers."""
    if not isinstance(knob.domain, Choice):
        return True
    return all(isinstance(label, int | float) and not isinstance(label, bool) for label in knob.domain.labels)


def columns(space: Space) -> list[str]:
    """Names of the numbers of a vector: a path, or a path and a label."""
    found = []
    for knob in space.knobs:
        if is_ordered(knob):
            found.append(knob.path)
        else:
            assert isinstance(knob.domain, Choice)
            found += [f"{knob.path}={label}" for label in knob.domain.labels]
    return found


def encode(space: Space, points: Sequence[Mapping[str, Value]]) -> np.ndarray:
    """(points, columns), float64."""
    return np.array([[number for knob in space.knobs for number in _numbers(knob, point)] for point in points])


def _numbers(knob: Knob, point: Mapping[str, Value]) -> list[float]:
    domain, active = knob.domain, knob.path in point
    if not is_ordered(knob):
        assert isinstance(domain, Choice)
        return [OF_LABELS * (active and label == point[knob.path]) for label in domain.labels]
    if not active:
        return [MIDDLE]
    value = point[knob.path]
    if isinstance(domain, Choice):
        order = sorted(domain.labels, key=float)  # type: ignore[arg-type]
        return [order.index(value) / (len(order) - 1)]
    assert isinstance(value, int | float)
    if domain.is_log:
        return [math.log(value / domain.low) / math.log(domain.high / domain.low)]
    return [(value - domain.low) / (domain.high - domain.low)]
