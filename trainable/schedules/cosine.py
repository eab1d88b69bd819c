"""Cosine annealing (arXiv 1608.03983): parameter golf's BASE.

With ``min_lr_frac`` = 0.382 it is that campaign's golden-ratio floor (N5); with two cycles its run 5, which stopped
right after the restart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainable.ranges import Part, Repeats
from trainable.schedules.schedule import Schedule, half_cosine


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """m + (1-m)/2 (1 + cos(pi frac(p n))) with n = ``cycles`` (1..8); the last cycle ends at m."""

    min_lr_frac: Part = 0.1  # m, the floor of the multiplier
    cycles: Repeats = 1

    def __call__(self, progress: float) -> float:
        phase = progress * self.cycles
        phase = 1.0 if progress == 1 else phase - math.floor(phase)
        return half_cosine(phase, self.min_lr_frac)
