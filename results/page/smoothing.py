"""Smoothing of learning curves, whose losses of single batches are mostly noise: a running median.

A median follows a fall without lagging behind it, which an exponential moving average does not, and a spike does not
move it. At a curve's ends the window narrows on both sides alike: cut on one side alone, it would put the start of a
falling loss below the first loss. The page's script does the same (curves.js), with the window that is given here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

FEWEST_POINTS = 20  # of a curve; fewer are drawn as they are
LEAST, PART = 5, 16  # points of the window: one in so many of the longest curve, but at least


def window_of(points: int) -> int:
    """The window of curves of at most so many points, an odd number of points; 0 where there are too few to smooth."""
    return 0 if points < FEWEST_POINTS else max(LEAST, points // PART) | 1


def running_median(values: Sequence[float | None], window: int) -> np.ndarray:
    """The median of the window around each point, narrower towards the ends; what is null is left out."""
    series = pd.Series([np.nan if value is None else value for value in values], dtype=float)
    found = series.rolling(window, center=True, min_periods=1).median().to_numpy().copy()
    last = len(series) - 1
    for reach in range(min(window // 2, (last + 2) // 2)):  # points on each side of those so far from an end
        for at in (reach, last - reach):
            found[at] = series[at - reach : at + reach + 1].median()
    return found
