"""Gaussian noise on the weights now and then. Parameter golf's N4 and NF10 (no measurable effect at 1e-4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from trainable.hooks.hook import Hook, State, Step
from trainable.no_grad import no_grad
from trainable.ranges import Amount, Every


@dataclass(frozen=True, kw_only=True)
class WeightPerturbation(Hook):
    """Every ``every_steps`` steps: w += N(0, 1) * scale * mean|w| of its tensor, for two or more dimensions.

    After backward, on weights; not at step 0. scale is 0 (neutral) to 0.1.
    """

    scale: Amount = 0.0
    every_steps: Every = 100

    @no_grad
    def after_backward(self, step: Step, state: State) -> None:
        import torch

        if self.scale == 0 or step.index == 0 or step.index % self.every_steps:
            return  # at scale 0 without a draw, which would move the draws of other hooks
        for w in step.tensors():
            noise = torch.randn(w.shape, generator=step.generator, device=w.device, dtype=w.dtype)
            w.add_(noise * (self.scale * w.abs().mean()))

    @classmethod
    def neutral(cls) -> Self:
        return cls(scale=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(scale=0.1, every_steps=2)
