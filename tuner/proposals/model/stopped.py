"""Guesses at the ends that stopped trials would have had, from what finished trials had at the same rung."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from optuna.trial import FrozenTrial

PAIRS = 4.0  # finished trials that the prior of a rung counts as: its differences say nothing of those at the end
EQUAL = 0.01  # of an end, taken as the spread of ends that do not differ


class RungRegressions:
    """Regressions of ends on values at a rung, over the finished trials, one a rung.

    The prior of each counts as PAIRS of them, and says that a difference at the rung comes back whole, give or take the
    spread of the ends.
    """

    def __init__(self, finished: Sequence[FrozenTrial]) -> None:
        self.ends = [float(trial.values[0]) for trial in finished]
        self.spread = float(np.std(self.ends)) or abs(self.ends[0]) * EQUAL
        self.ways = [trial.intermediate_values for trial in finished]
        self._known: dict[int, tuple[float, float, float, float] | None] = {}

    def guess(self, trial: FrozenTrial) -> tuple[float, float] | None:
        """The end of a stopped trial, and its standard deviation; None where nobody finished from its last rung."""
        rung = max(trial.intermediate_values)
        if rung not in self._known:
            self._known[rung] = self._regression(rung)
        if (found := self._known[rung]) is None:
            return None
        at_rung, at_end, slope, deviation = found
        return at_end + slope * (trial.intermediate_values[rung] - at_rung), deviation

    def _regression(self, rung: int) -> tuple[float, float, float, float] | None:
        """The means at the rung and at the end, the slope, and the standard deviation around the line."""
        pairs = np.array([(way[rung], end) for way, end in zip(self.ways, self.ends, strict=True) if rung in way])
        if not len(pairs):
            return None
        (at_rung, at_end), (there, ends) = pairs.mean(axis=0), (pairs - pairs.mean(axis=0)).T
        weight = PAIRS * float(there.var()) + 1e-12
        slope = max(0.0, float(weight + there @ ends) / float(weight + there @ there))
        residuals = ends - slope * there
        variance = (PAIRS * self.spread**2 + float(residuals @ residuals)) / (PAIRS + len(pairs))
        return float(at_rung), float(at_end), slope, float(np.sqrt(variance))
