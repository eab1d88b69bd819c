"""Tidal: parameter golf's N2 and the schedule of all its later stacks. Its gain is that of any warmup."""

from __future__ import annotations

from dataclasses import dataclass

from trainable.ranges import Part, PartBelowOne
from trainable.schedules.schedule import Schedule, half_cosine

GOLDEN = 0.382  # 1 - 1/golden ratio


@dataclass(frozen=True, kw_only=True)
class Tidal(Schedule):
    """Linear m -> 1 up to ``warmup_frac``, then cosine 1 -> m."""

    warmup_frac: PartBelowOne = GOLDEN
    min_lr_frac: Part = 0.1  # m, the floor of the multiplier

    def __call__(self, progress: float) -> float:
        m = self.min_lr_frac
        if progress < self.warmup_frac:
            return m + (1 - m) * progress / self.warmup_frac
        return half_cosine((progress - self.warmup_frac) / (1 - self.warmup_frac), m)
