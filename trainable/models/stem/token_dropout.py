"""Token dropout as parameter golf's script has it: whole embeddings are lost.

Its log speaks of lost targets instead: that is ``losses.TargetDropout``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from trainable.models.parts import PassThrough, Place, StemPart
from trainable.ranges import PartBelowOne


@dataclass(frozen=True, kw_only=True)
class TokenDropout(StemPart):
    """In training x_t = x_t * (u_t >= prob) / (1 - prob), u_t uniform in [0, 1), one for a token; after the norm.

    The stem that the blocks mix back in has the same holes. prob 0..0.5; 0 is neutral, 0.05 was run 3.
    """

    after_norm: ClassVar[bool] = True

    prob: PartBelowOne = 0.0

    def build(self, place: Place) -> nn.Module:
        return Dropout(self.prob) if self.prob else PassThrough()

    @classmethod
    def neutral(cls) -> Self:
        return cls(prob=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(prob=0.2)


class Dropout(nn.Module):
    prob: Tensor

    def __init__(self, prob: float) -> None:
        super().__init__()
        self.register_buffer("prob", torch.tensor(prob), persistent=False)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = torch.rand(tokens.shape, device=x.device) >= self.prob
        return x * (kept / (1 - self.prob)).to(x.dtype)[..., None]
