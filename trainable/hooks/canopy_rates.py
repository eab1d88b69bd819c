"""Canopy by rates: what the campaign meant by its canopy, which cancels under Muon and Adam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from trainable.hooks.canopy import light
from trainable.hooks.hook import Hook, State, Step
from trainable.no_grad import no_grad
from trainable.ranges import Part


@dataclass(frozen=True, kw_only=True)
class CanopyRates(Hook):
    """The optimizer's step of block i of n times s + (1-s) i/(n-1), s being ``min_scale`` (usually 0.05..1).

    That is a learning rate per block, decoupled weight decay included. Weights are copied after backward and moved
    after the update: list it after hooks that change weights and before those that average them. 1 is neutral.
    """

    min_scale: Part = 1.0  # of the first block

    def after_backward(self, step: Step, state: State) -> None:
        if self.min_scale < 1:
            state["before"] = [[p.detach().clone() for p in parameters] for parameters in step.blocks()]

    @no_grad
    def after_update(self, step: Step, state: State) -> None:
        if self.min_scale == 1:
            return
        before = state.pop("before")
        for parameters, old, scale in zip(step.blocks(), before, light(self.min_scale, len(before)), strict=True):
            for p, start in zip(parameters, old, strict=True):
                p.copy_(start.lerp_(p, scale))

    @classmethod
    def neutral(cls) -> Self:
        return cls(min_scale=1.0)

    @classmethod
    def example(cls) -> Self:
        return cls(min_scale=0.3)
