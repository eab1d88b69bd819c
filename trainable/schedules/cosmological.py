"""Cosmological cooling: parameter golf's NF4 (no effect): the rate falls like a temperature, 1/sqrt(time)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainable.ranges import Amount, Part
from trainable.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Cosmological(Schedule):
    """Linear m -> 1 up to ``warmup_frac``, then max(m, 1 / sqrt(1 + ``alpha`` p)).

    The law is not shifted to the end of the warmup: the rate drops there, from 1 to 0.71 at the campaign's values. It
    ends at 1 / sqrt(1 + alpha), which is above the floor.
    """

    alpha: Amount = 20.0  # rate of cooling, 1..100
    warmup_frac: Part = 0.05  # 0..0.5
    min_lr_frac: Part = 0.05  # m, the floor of the multiplier

    def __call__(self, progress: float) -> float:
        m = self.min_lr_frac
        if progress < self.warmup_frac:
            return m + (1 - m) * progress / self.warmup_frac
        return max(m, 1 / math.sqrt(1 + self.alpha * progress))
