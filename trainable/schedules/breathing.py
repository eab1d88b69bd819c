"""Breathing, after the 4-7-8 rhythm: parameter golf's NF1 and C12."""

from __future__ import annotations

from dataclasses import dataclass

from trainable.ranges import Part, PartBelowOne
from trainable.schedules.schedule import Schedule, half_cosine


@dataclass(frozen=True, kw_only=True)
class Breathing(Schedule):
    """Linear m -> 1 up to ``warm_frac``, 1 up to ``hold_end``, then cosine 1 -> m."""

    warm_frac: PartBelowOne = 4 / 19
    hold_end: PartBelowOne = 11 / 19
    min_lr_frac: Part = 0.1  # m, the floor of the multiplier

    def validate(self) -> None:
        self.check(self.warm_frac <= self.hold_end, "hold_end", f"in [warm_frac = {self.warm_frac:.4g}, 1)")

    def __call__(self, progress: float) -> float:
        m = self.min_lr_frac
        if progress < self.warm_frac:
            return m + (1 - m) * progress / self.warm_frac
        if progress < self.hold_end:
            return 1.0
        return half_cosine((progress - self.hold_end) / (1 - self.hold_end), m)
