"""The module of BigramHash: a table of token pairs."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PairTable(nn.Module):
    """Table of embeddings, one a bucket of hashed token pairs, projected and scaled to the model's width."""

    def __init__(self, buckets: int, dim: int, model_dim: int) -> None:
        super().__init__()
        self.buckets = buckets
        self.table = nn.Embedding(buckets, dim)
        nn.init.zeros_(self.table.weight)
        self.proj = nn.Linear(dim, model_dim, bias=False)
        self.scale = nn.Parameter(torch.tensor(0.05))

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        added: Tensor = self.scale * self.proj(self.table(self.bucket(tokens)))
        return x + added.to(x.dtype)

    def bucket(self, tokens: Tensor) -> Tensor:
        """The bucket of each token (batch, time) and the one before it."""
        pairs = torch.bitwise_xor(36313 * tokens[:, 1:], 27191 * tokens[:, :-1])
        first = torch.full_like(tokens[:, :1], self.buckets - 1)
        return torch.cat([first, pairs % (self.buckets - 1)], dim=1)
