"""XSA: a head puts out nothing of its own token's value. Parameter golf's 1.1307 (3 layers) to 1.1147 (all layers)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.models.parts import AttentionPart, Place
from trainable.ranges import LayerIndex

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class ExclusiveSelfAttention(AttentionPart):
    """y -= (y . u) u, u = v / |v| of the token's own value, in the last ``last_layers`` layers.

    A key/value head serves its group of heads. last_layers 0..num_layers; 0 is neutral.
    """

    last_layers: LayerIndex = 0

    def check_fit(self, num_layers: int, num_heads: int) -> None:
        self.check(self.last_layers <= num_layers, "last_layers", f"in 0..num_layers = {num_layers}")

    def build(self, place: Place) -> nn.Module:
        from trainable.networks.attention.exclusive_self_attention import Exclusive
        from trainable.networks.parts import PassThrough

        return Exclusive() if place.index >= place.num_layers - self.last_layers else PassThrough()

    @classmethod
    def neutral(cls) -> Self:
        return cls(last_layers=0)

    @classmethod
    def example(cls) -> Self:
        return cls(last_layers=1)
