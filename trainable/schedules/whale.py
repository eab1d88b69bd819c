"""Whale dive: parameter golf's NF2 (+0.037 BPB): dives with sharp recoveries, each peak lower than the last."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainable.ranges import Part, Repeats
from trainable.schedules.schedule import Schedule

RISE = 0.1  # of a cycle
SINKING = 0.3  # how much lower the peak is at the end than at the start
ENDING = 0.1  # of the horizon: over it the rate falls to the floor whatever the dive


@dataclass(frozen=True, kw_only=True)
class Whale(Schedule):
    """Schedule of ``cycles`` dives n (1..8), with q = frac(n p) and peak = (1-m)(1 - 0.3p):

    q < 0.1: m + peak q/0.1, else m + peak/2 (1 + cos(pi (q-0.1)/0.9)); for p > 0.9 times (1-p)/0.1; never below m.
    """

    min_lr_frac: Part = 0.05  # m, the floor of the multiplier
    cycles: Repeats = 3

    def __call__(self, progress: float) -> float:
        m, phase = self.min_lr_frac, progress * self.cycles % 1.0
        peak = (1 - m) * (1 - SINKING * progress)
        if phase < RISE:
            multiplier = m + peak * phase / RISE
        else:
            multiplier = m + peak / 2 * (1 + math.cos(math.pi * (phase - RISE) / (1 - RISE)))
        if progress > 1 - ENDING:
            multiplier *= (1 - progress) / ENDING
        return max(m, multiplier)
