"""The module of SmearGate: mixes each token with the one before it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainable.networks.parts import SeesDocuments


class Smear(SeesDocuments):
    def __init__(self, init: float, dim: int, vocab_size: int) -> None:
        super().__init__(vocab_size)
        self.gate = nn.Parameter(torch.full((dim,), init).logit())

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        share = torch.sigmoid(self.gate).to(x.dtype)
        smeared = torch.lerp(x[:, 1:], x[:, :-1], share.expand_as(x[:, 1:]))
        starts = self.starts_document[tokens[:, 1:]][..., None]
        return torch.cat([x[:, :1], torch.where(starts, x[:, 1:], smeared)], dim=1)
