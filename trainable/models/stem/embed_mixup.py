"""Mixup of embeddings in training, in both readings: parameter golf's script mixes neighbours, its log random pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from terminal.nearest import nearest
from torch import Tensor, nn

from trainable.models.parts import PassThrough, Place, StemPart
from trainable.ranges import Part

PAIRINGS = ("previous", "random")


@dataclass(frozen=True, kw_only=True)
class EmbedMixup(StemPart):
    """In training x_t = (1 - a) x_t + a y_t, a = weight * u_t, u_t uniform in [0, 1), one for a token; before the norm.

    y_t is the embedding before it (``previous``; the first is mixed with itself, where the script takes the last, which
    lies ahead) or the one at the same position of another row of the batch, rows paired anew at each pass (``random``).
    weight 0..0.5; 0 is neutral, 0.1 was run 4.
    """

    weight: Part = 0.0
    pairing: str = "previous"

    def validate(self) -> None:
        rule = f"one of {', '.join(PAIRINGS)}: {nearest(self.pairing, PAIRINGS, 'pairings')}"
        self.check(self.pairing in PAIRINGS, "pairing", rule)

    def build(self, place: Place) -> nn.Module:
        if not self.weight:
            return PassThrough()
        return {"previous": PreviousMixup, "random": RandomMixup}[self.pairing](self.weight)

    @classmethod
    def neutral(cls) -> Self:
        return cls(weight=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(weight=0.3)


class PreviousMixup(nn.Module):
    weight: Tensor

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.register_buffer("weight", torch.tensor(weight), persistent=False)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        if not self.training:
            return x
        share = self.weight * torch.rand(tokens.shape, device=x.device)
        return torch.lerp(x, self.partner(x), share.to(x.dtype)[..., None])

    def partner(self, x: Tensor) -> Tensor:
        return torch.cat([x[:, :1], x[:, :-1]], dim=1)


class RandomMixup(PreviousMixup):
    def partner(self, x: Tensor) -> Tensor:
        return x[torch.rand(len(x), device=x.device).argsort()]
