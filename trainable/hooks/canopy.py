"""Canopy: gradients grow with depth, as light does with height. Parameter golf's W1, W6 and W7.

The factor is constant, so it cancels in the steps of Muon and Adam, which ignore the scale of a gradient: W7 is N2 run
again. ``CanopyRates`` scales the steps themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from trainable.hooks.hook import Hook, State, Step, gradient
from trainable.no_grad import no_grad
from trainable.ranges import AfterStep, Part


@dataclass(frozen=True, kw_only=True)
class Canopy(Hook):
    """Gradients of block i of n times s + (1-s) i/(n-1), s being ``min_scale`` (usually 0.05..1); 1 is neutral.

    After backward, on gradients; from the step after ``after_step`` on, steps being counted from 0.
    """

    min_scale: Part = 1.0  # of the first block; the campaign's 0.3
    after_step: AfterStep = 0

    @no_grad
    def after_backward(self, step: Step, state: State) -> None:
        if step.index <= self.after_step or self.min_scale == 1:
            return
        import torch

        blocks = step.blocks()
        for parameters, scale in zip(blocks, light(self.min_scale, len(blocks)), strict=True):
            torch._foreach_mul_([gradient(p) for p in parameters], scale)

    @classmethod
    def neutral(cls) -> Self:
        return cls(min_scale=1.0)

    @classmethod
    def example(cls) -> Self:
        return cls(min_scale=0.3)


def light(lowest: float, num_blocks: int) -> list[float]:
    """The factor of each block: ``lowest`` for the first, 1 for the last, evenly between them."""
    return [lowest + (1 - lowest) * i / max(num_blocks - 1, 1) for i in range(num_blocks)]
