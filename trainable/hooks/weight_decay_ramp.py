"""Weight decay that grows with progress. Parameter golf's G3, H4, H5 (catastrophic: it is not scaled by the rate)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from trainable.hooks.hook import Hook, State, Step
from trainable.no_grad import no_grad
from trainable.ranges import PartBelowOne


@dataclass(frozen=True, kw_only=True)
class WeightDecayRamp(Hook):
    """w *= 1 - target * progress * multiplier on every tensor of two or more dimensions, embeddings included.

    After backward, on weights. target is 0 (neutral) to 0.2.
    """

    target: PartBelowOne = 0.0

    @no_grad
    def after_backward(self, step: Step, state: State) -> None:
        if not self.target:
            return
        import torch

        shrink = 1 - self.target * step.progress * step.multiplier
        torch._foreach_mul_([*step.tensors()], shrink)

    @classmethod
    def neutral(cls) -> Self:
        return cls(target=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(target=0.1)
