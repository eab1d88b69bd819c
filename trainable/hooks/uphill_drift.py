"""Uphill drift: what parameter golf's script calls SAM (SAM_RHO); never run in its log.

Weights are pushed along their gradient and stay there; the gradient is not computed anew. With Muon and Adam, which
ignore the gradient's size, this is a step against the learning. For the real thing see ``SharpnessAware``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from trainable.hooks.hook import Hook, State, Step, gradient
from trainable.no_grad import no_grad
from trainable.ranges import AfterStep, Amount


@dataclass(frozen=True, kw_only=True)
class UphillDrift(Hook):
    """w += ``radius`` * g / |g| for each tensor of two or more dimensions on its own; where |g| <= 1e-8 it stays.

    After backward, on weights; from the step after ``after_step`` on, steps being counted from 0. 0 is neutral.
    """

    radius: Amount = 0.0
    after_step: AfterStep = 20

    @no_grad
    def after_backward(self, step: Step, state: State) -> None:
        import torch

        if self.radius == 0 or step.index <= self.after_step:
            return
        for p in step.tensors():
            g = gradient(p)
            length = torch.linalg.vector_norm(g, dtype=torch.float32)
            p.add_(g * torch.where(length > 1e-8, self.radius / length, 0.0))

    @classmethod
    def neutral(cls) -> Self:
        return cls(radius=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(radius=0.1, after_step=1)
