"""Depth recurrence: some layers in the middle run again, for depth without weights.

In parameter-golf records from 1.1063 on: layers 4-5 or 3-5, from 35 % of the training on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.models.parts import LayerPart, Place
from trainable.ranges import LayerIndex, Part, Times

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class DepthRecurrence(LayerPart):
    """After layer ``last`` layers ``first`` to ``last`` (from 0) run ``times`` - 1 times more, from ``start_frac`` on.

    That is from the step on at which progress has reached it, in evaluation too. Until then the loop is computed and
    blended out by a tensor: one graph, and a step costs the same throughout. Skip connections take part in the first
    pass only; what layer ``last`` pushes is its output after the loop. times 1 is neutral.
    """

    first: LayerIndex = 3
    last: LayerIndex = 5
    times: Times = 1
    start_frac: Part = 0.35

    def validate(self) -> None:
        self.check(self.last >= self.first, "last", f"first = {self.first} or more")

    def check_fit(self, num_layers: int, num_heads: int) -> None:
        self.check(self.times == 1 or self.last < num_layers, "last", f"below num_layers = {num_layers}")

    def wrap_all(self, blocks: Sequence[nn.Module], places: Sequence[Place]) -> list[nn.Module]:
        from trainable.networks.layers.depth_recurrence import Loop

        wrapped = list(blocks)
        if self.times > 1:
            wrapped[self.last] = Loop(wrapped[self.first : self.last + 1], self.times, self.start_frac)
        return wrapped

    def passes(self, index: int) -> int:
        return self.times if self.first <= index <= self.last else 1

    @classmethod
    def neutral(cls) -> Self:
        return cls(times=1)

    @classmethod
    def example(cls) -> Self:
        return cls(first=0, last=1, times=2, start_frac=0.5)
