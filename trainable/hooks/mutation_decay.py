"""Mutation decay: noise on the weights at every step, fading. Parameter golf's NF6 and NF9 (neutral at 0.001)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from trainable.hooks.hook import Hook, State, Step
from trainable.no_grad import no_grad
from trainable.ranges import AfterStep, Amount


@dataclass(frozen=True, kw_only=True)
class MutationDecay(Hook):
    """w += N(0, 1) * ``scale`` * exp(-``rate`` p) * mean|w| of its tensor, for tensors of two or more dimensions.

    After backward, on weights, the last of parameter golf's; from the step after ``after_step`` on, steps being counted
    from 0. scale is 0 (neutral) to 0.1. The script stops below 1e-6, which its scales never reach.
    """

    switched_by: ClassVar[Mapping[str, str]] = {"rate": "scale", "after_step": "scale"}

    scale: Amount = 0.0
    rate: Amount = 5.0
    after_step: AfterStep = 20

    @no_grad
    def after_backward(self, step: Step, state: State) -> None:
        import torch

        if self.scale == 0 or step.index <= self.after_step:
            return  # at scale 0 without a draw, which would move the draws of other hooks
        scale = self.scale * math.exp(-self.rate * step.progress)
        for w in step.tensors():
            noise = torch.randn(w.shape, generator=step.generator, device=w.device, dtype=w.dtype)
            w.add_(noise * (scale * w.abs().mean()))

    @classmethod
    def neutral(cls) -> Self:
        return cls(scale=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(scale=0.1, after_step=1)
