"""The trapezoid of modded-nanogpt, and upstream's default in parameter golf.

Upstream counts its warmdown in steps or, under a time limit, in seconds; both are parts of the horizon here. Its 1200
steps are more than a slow device does in the whole budget of n steps: ``warmdown_frac`` = 1200 / n, and the run starts
in the middle of the slope (runs W1, W2, W3 and W6, at 0.2). Under a time limit upstream gives step 0, of which nothing
has been timed yet, the full rate: ``Phases(first=Constant(), second=Warmdown(...), at=1e-9)``.
"""

from __future__ import annotations

from dataclasses import dataclass

from trainable.ranges import Part, Positive
from trainable.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Warmdown(Schedule):
    """1, then linear to m over the last ``warmdown_frac``; over 1 it begins lower: m + (1-m) min(1, (1-p) / frac)."""

    warmdown_frac: Positive = 0.4
    min_lr_frac: Part = 0.0  # m, the floor of the multiplier

    def __call__(self, progress: float) -> float:
        left = min(1.0, (1 - progress) / self.warmdown_frac)
        return self.min_lr_frac + (1 - self.min_lr_frac) * left
