"""Layer-norm scale: deep layers see smaller inputs (arXiv 2502.05795). In parameter-golf records from 1.1248 on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from trainable.models.parts import LayerPart, Place
from trainable.ranges import Part


@dataclass(frozen=True, kw_only=True)
class LayerNormScale(LayerPart):
    """norm(x) * (layer + 1)^-power, layers from 0, in front of attention and MLP.

    Queries and keys are normalised again: of attention only the values shrink. power 0..1; 0 is neutral, 0.5 published.
    """

    power: Part = 0.0

    def wrap_sublayer(self, sublayer: nn.Module, place: Place) -> nn.Module:
        return Scaled(sublayer, (place.index + 1) ** -self.power) if self.power else sublayer

    @classmethod
    def neutral(cls) -> Self:
        return cls(power=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(power=0.5)


class Scaled(nn.Module):
    factor: Tensor  # ()

    def __init__(self, sublayer: nn.Module, factor: float) -> None:
        super().__init__()
        self.sublayer = sublayer
        self.register_buffer("factor", torch.tensor(factor), persistent=False)

    def forward(self, x: Tensor, *others: object) -> Tensor:
        y: Tensor = self.sublayer(x * self.factor.to(x.dtype), *others)
        return y
