"""SmearGate: each token sees the one before it from the start. In the parameter-golf records from 1.1556 on.

The records let it look across the start of a document; here it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from trainable.models.parts import PassThrough, Place, SeesDocuments, StemPart
from trainable.ranges import PartBelowOne


@dataclass(frozen=True, kw_only=True)
class SmearGate(StemPart):
    """x_t = (1 - g) x_t + g x_(t-1), g a learned share per channel, sigmoid(gate); after the norm.

    The first token of a row and one that starts a document stay as they are. ``init`` is the share at the start, below
    1: 0.5 in the records; 0 is neutral: no gate.
    """

    after_norm: ClassVar[bool] = True

    init: PartBelowOne = 0.0

    def build(self, place: Place) -> nn.Module:
        return Smear(self.init, place.dim, place.vocab_size) if self.init else PassThrough()

    @classmethod
    def neutral(cls) -> Self:
        return cls(init=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(init=0.5)


class Smear(SeesDocuments):
    def __init__(self, init: float, dim: int, vocab_size: int) -> None:
        super().__init__(vocab_size)
        self.gate = nn.Parameter(torch.full((dim,), init).logit())

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        share = torch.sigmoid(self.gate).to(x.dtype)
        smeared = torch.lerp(x[:, 1:], x[:, :-1], share.expand_as(x[:, 1:]))
        starts = self.starts_document[tokens[:, 1:]][..., None]
        return torch.cat([x[:, :1], torch.where(starts, x[:, 1:], smeared)], dim=1)
