"""Circadian rhythm: parameter golf's NF3 (no effect): day and night on top of a cosine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from trainable.ranges import Amount, Part, Positive
from trainable.schedules.schedule import Schedule, half_cosine


@dataclass(frozen=True, kw_only=True)
class Circadian(Schedule):
    """max(m, cosine + ``amplitude`` (1-p) sin(2 pi ``periods`` p)), cosine being m + (1-m)/2 (1 + cos(pi p)).

    The campaign's day has 50 steps of a horizon of 400, hence 8 periods. The multiplier may reach 1 + amplitude.
    """

    switched_by: ClassVar[Mapping[str, str]] = {"periods": "amplitude"}

    min_lr_frac: Part = 0.1  # m, the floor of the multiplier
    periods: Positive = 8.0  # days over the horizon, 1..40
    amplitude: Amount = 0.15  # at the start, 0..0.5; it fades with 1 - p

    def __call__(self, progress: float) -> float:
        day = self.amplitude * (1 - progress) * math.sin(2 * math.pi * self.periods * progress)
        return max(self.min_lr_frac, half_cosine(progress, self.min_lr_frac) + day)
