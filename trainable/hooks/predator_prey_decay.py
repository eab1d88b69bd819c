"""Predator and prey, the weight decay's half: parameter golf's W2 and W10 (worse: it is not scaled by the rate).

The other half, which the log describes and the script lacks, is the schedule ``PredatorPrey``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from trainable.hooks.hook import Hook, State, Step
from trainable.no_grad import no_grad
from trainable.ranges import Every, Part, PartBelowOne, Repeats


@dataclass(frozen=True, kw_only=True)
class PredatorPreyDecay(Hook):
    """w *= 1 - ``decay`` (1 - ``amplitude`` (1-p) sin(2 pi ``cycles`` p)) multiplier; two or more dimensions.

    After backward, on weights, embeddings included, but not at step 0. decay is 0 (neutral); the campaign's is 0.01.
    p is the progress, or with ``horizon_steps`` the step's number over it: in W2 the script counted the swing over its
    400 steps while its schedule, a warmdown in seconds, ended with the run.
    """

    decay: PartBelowOne = 0.0
    cycles: Repeats = 6
    amplitude: Part = 0.5
    horizon_steps: Every | None = None  # steps over which p goes from 0 to 1; null: as the schedule's progress

    @no_grad
    def after_backward(self, step: Step, state: State) -> None:
        if step.index == 0 or not self.decay:
            return
        import torch

        p = step.progress if self.horizon_steps is None else min(1.0, step.index / self.horizon_steps)
        swing = self.amplitude * (1 - p) * math.sin(2 * math.pi * self.cycles * p)
        shrink = 1 - self.decay * (1 - swing) * step.multiplier
        torch._foreach_mul_([*step.tensors()], shrink)

    @classmethod
    def neutral(cls) -> Self:
        return cls(decay=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(decay=0.1)
