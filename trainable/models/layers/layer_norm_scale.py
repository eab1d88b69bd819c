"""Layer-norm scale: deep layers see smaller inputs (arXiv 2502.05795). In parameter-golf records from 1.1248 on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.models.parts import LayerPart, Place
from trainable.ranges import Part

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class LayerNormScale(LayerPart):
    """norm(x) * (layer + 1)^-power, layers from 0, in front of attention and MLP.

    Queries and keys are normalised again: of attention only the values shrink. power 0..1; 0 is neutral, 0.5 published.
    """

    power: Part = 0.0

    def wrap_sublayer(self, sublayer: nn.Module, place: Place) -> nn.Module:
        from trainable.networks.layers.layer_norm_scale import Scaled

        return Scaled(sublayer, (place.index + 1) ** -self.power) if self.power else sublayer

    @classmethod
    def neutral(cls) -> Self:
        return cls(power=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(power=0.5)
