"""Predator and prey, the learning rate's half: parameter golf's W2 as its log describes it.

Rate and weight decay swing in opposition. The published script has the decay alone (``hooks.PredatorPreyDecay``); this
half is our reading, with the same swing and the other sign.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from trainable.ranges import Part, Repeats
from trainable.schedules.schedule import Schedule, half_cosine


@dataclass(frozen=True, kw_only=True)
class PredatorPrey(Schedule):
    """(m + (1-m)/2 (1 + cos(pi p))) * (1 + ``amplitude`` (1-p) sin(2 pi ``cycles`` p)).

    m is the cosine's floor; the swing reaches up to ``amplitude`` above and below the cosine.
    """

    switched_by: ClassVar[Mapping[str, str]] = {"cycles": "amplitude"}

    min_lr_frac: Part = 0.1  # m, the floor of the multiplier
    cycles: Repeats = 6
    amplitude: Part = 0.5

    def __call__(self, progress: float) -> float:
        swing = self.amplitude * (1 - progress) * math.sin(2 * math.pi * self.cycles * progress)
        return half_cosine(progress, self.min_lr_frac) * (1 + swing)
