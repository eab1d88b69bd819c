"""A learning-rate schedule of your own: a file that touches none of ours."""

from __future__ import annotations

from dataclasses import dataclass

from trainable.ranges import Part, Repeats
from trainable.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Sawtooth(Schedule):
    """1 - (1 - m) frac(p n): falls to ``min_lr_frac`` and begins again, ``teeth`` times."""

    teeth: Repeats = 3
    min_lr_frac: Part = 0.1

    def __call__(self, progress: float) -> float:
        phase = 1.0 if progress == 1 else (progress * self.teeth) % 1
        return 1 - (1 - self.min_lr_frac) * phase
