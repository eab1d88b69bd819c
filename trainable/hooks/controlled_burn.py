"""Controlled burn: the smallest weights are set to zero now and then. Parameter golf's N1 and NF7 (neutral there)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from trainable.hooks.hook import Hook, State, Step
from trainable.no_grad import no_grad
from trainable.ranges import Every, PartBelowOne


@dataclass(frozen=True, kw_only=True)
class ControlledBurn(Hook):
    """Every ``every_steps`` steps w = 0 where |w| is below its tensor's quantile ``fraction``; it may grow back.

    After backward, on weights, for tensors of two or more dimensions; not at step 0. fraction is 0 (neutral) to 0.5.
    """

    switched_by: ClassVar[Mapping[str, str]] = {"every_steps": "fraction"}

    fraction: PartBelowOne = 0.0
    every_steps: Every = 50

    @no_grad
    def after_backward(self, step: Step, state: State) -> None:
        if step.index == 0 or step.index % self.every_steps:
            return
        for w in step.tensors():
            below = math.ceil(self.fraction * (w.numel() - 1))  # of the sorted sizes, by a quantile that interpolates
            if below:
                size = w.abs()
                w.mul_(size >= size.flatten().kthvalue(below + 1).values)  # equal sizes live or die together

    @classmethod
    def neutral(cls) -> Self:
        return cls(fraction=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(fraction=0.2, every_steps=2)
