"""Synaptic scaling: norms of the weights are held where they were early in training. Parameter golf's NF5.

Its script computed the factor in the variable that held the schedule's multiplier, so from step 21 on the whole run had
a rate of about 1: that, not the scaling, gave +0.112 BPB. ``takes_over_rate`` does the same on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from trainable.hooks.hook import Hook, State, Step
from trainable.no_grad import no_grad
from trainable.ranges import AfterStep, Part


@dataclass(frozen=True, kw_only=True)
class SynapticScaling(Hook):
    """w *= 1 + ``strength`` (f - 1) with f = clamp(n / |w|, 0.95, 1.05), for tensors of two or more dimensions.

    n is |w| at the first step that it acts in, the one after ``after_step`` (counted from 0), which changes nothing.
    After backward, on weights. strength is 0 (neutral) to 1 (the campaign's).
    """

    strength: Part = 0.0
    after_step: AfterStep = 20
    takes_over_rate: bool = False  # the schedule's multiplier becomes the last tensor's f, as it did in NF5

    @no_grad
    def after_backward(self, step: Step, state: State) -> None:
        import torch

        if self.strength == 0 or step.index <= self.after_step:
            return
        tensors = step.tensors()
        sizes = [torch.linalg.vector_norm(w, dtype=torch.float32) for w in tensors]
        wanted = state.setdefault("sizes", sizes)
        factors = [(n / (size + 1e-8)).clamp(0.95, 1.05) for n, size in zip(wanted, sizes, strict=True)]
        for w, factor in zip(tensors, factors, strict=True):
            w.mul_(1 + self.strength * (factor - 1))
        if self.takes_over_rate:
            step.take_over_rate(factors[-1])

    @classmethod
    def neutral(cls) -> Self:
        return cls(strength=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(strength=1.0, after_step=1)
