"""Layer dropout (stochastic depth, arXiv 1603.09382): run U1, which crashed on a Python branch inside the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.models.parts import LayerPart, Place
from trainable.ranges import PartBelowOne

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class LayerDropout(LayerPart):
    """Layer dropout: in training x += g * (block(x) - x), where g is 0 with probability ``prob``, else 1 / (1 - prob).

    In evaluation g is 1. It is drawn for each block and step; the first block is never dropped, and neither is the skip
    connection into a block. Dropped blocks are computed all the same: no time is saved. prob 0..0.5; 0 is neutral, 0.2
    was planned.
    """

    prob: PartBelowOne = 0.0

    def wrap(self, block: nn.Module, place: Place) -> nn.Module:
        from trainable.networks.layers.layer_dropout import Dropped

        return Dropped(block, self.prob) if self.prob and place.index > 0 else block

    @classmethod
    def neutral(cls) -> Self:
        return cls(prob=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(prob=0.5)
