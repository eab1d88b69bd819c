"""Progressive growing: training begins with the first layers and adds others. Run U3, which never trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.models.parts import LayerPart, Place
from trainable.ranges import Every, Layers

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class ProgressiveGrowing(LayerPart):
    """At step s (from 0) the first min(num_layers, start_layers + s // every_steps) blocks run, in evaluation too.

    The network grows at the decoder's end, and skip connections pair from the start as they do in the end: those into
    a block that does not run yet are added all the same, so that a new block, whose output projections are zero,
    changes nothing at first. Waiting blocks are computed and gated out, so no time is saved. null is neutral; 3 layers
    and 60 steps were planned.
    """

    start_layers: Layers | None = None
    every_steps: Every = 60

    def check_fit(self, num_layers: int, num_heads: int) -> None:
        fits = self.start_layers is None or self.start_layers <= num_layers
        self.check(fits, "start_layers", f"null or in 1..num_layers = {num_layers}")

    def wrap(self, block: nn.Module, place: Place) -> nn.Module:
        from trainable.networks.layers.progressive_growing import Grown

        if self.start_layers is None or place.index < self.start_layers:
            return block
        return Grown(block, (place.index - self.start_layers + 1) * self.every_steps)

    @classmethod
    def neutral(cls) -> Self:
        return cls(start_layers=None)

    @classmethod
    def example(cls) -> Self:
        return cls(start_layers=1, every_steps=2)
