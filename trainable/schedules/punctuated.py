"""Punctuated equilibrium: parameter golf's W3 as its log describes it.

The campaign never ran it (its script has no such schedule: W3 is upstream's warmdown). The log says low rates with
Gaussian bursts at a quarter, a half and three quarters; the height of the floor and the width are our reading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainable.ranges import Part, Positive
from trainable.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Punctuated(Schedule):
    """m + (1-m) max over c in ``centres`` of exp(-(p-c)^2 / (2 ``width``^2))."""

    min_lr_frac: Part = 0.2  # m, the floor of the multiplier
    centres: tuple[Part, ...] = (0.25, 0.5, 0.75)
    width: Positive = 0.03  # standard deviation of a burst, as a part of the horizon

    def validate(self) -> None:
        self.check(bool(self.centres), "centres", "one or more in [0, 1]")

    def __call__(self, progress: float) -> float:
        distance = min(abs(progress - centre) for centre in self.centres) / self.width
        return self.min_lr_frac + (1 - self.min_lr_frac) * math.exp(-distance * distance / 2)
