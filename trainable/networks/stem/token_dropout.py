"""The module of token dropout: loses whole embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn


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
