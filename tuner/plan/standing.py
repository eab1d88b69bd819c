"""Standings of trials on their way, in a schedule that is made up: who is ahead at a rung is likely to end ahead."""

from __future__ import annotations

import math
import random

# Correlation of standings at two parts of the budget is (earlier / later) to this power: .71 of a quarter with the end,
# .84 of a half. The rank correlations of the 20 pools of benchmarks.stopping are in the mean .67 and .79.
POWER = 1 / 4


class Standings:
    """Standings of trials, each a normal variable (lower is better) that drifts as the trial goes on."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.at: dict[str, tuple[float, float]] = {}  # key -> where it has been last, and its standing there

    def place(self, key: str, spent: float, standing: float) -> None:
        """Say where a trial stands."""
        self.at[key] = (spent, standing)

    def next(self, key: str, spent: float) -> float:
        """Draw the standing of a trial that has now spent so much."""
        fresh = self.draw.gauss(0.0, 1.0)
        if key in self.at:
            before, standing = self.at[key]
            kept = min(1.0, before / spent) ** POWER  # one that begins again comes to where it stood
            fresh = kept * standing + math.sqrt(1 - kept**2) * fresh
        self.at[key] = (spent, fresh)
        return fresh
