"""BigramHash: a second table, of token pairs. In the parameter-golf records from 1.1458 to 1.1147."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from trainable.models.parts import PassThrough, Place, StemPart
from trainable.ranges import Buckets, Width


@dataclass(frozen=True, kw_only=True)
class BigramHash(StemPart):
    """x_t += scale * W e[(36313 * token_t xor 27191 * token_(t-1)) mod (buckets - 1)]; before the norm.

    The first position has the last bucket. The table e (buckets, dim) starts at zero, the learned scale at 0.05, W as
    any matrix: the records' script also zeroes it, from where no gradient would lead, and then initialises it after
    all. buckets 2048..10240; null is neutral: no table.
    """

    buckets: Buckets | None = None
    dim: Width = 128

    def build(self, place: Place) -> nn.Module:
        return PairTable(self.buckets, self.dim, place.dim) if self.buckets else PassThrough()

    def num_matrix_weights(self, dim: int) -> int:
        return self.dim * dim if self.buckets else 0

    @classmethod
    def neutral(cls) -> Self:
        return cls(buckets=None)

    @classmethod
    def example(cls) -> Self:
        return cls(buckets=64, dim=8)


class PairTable(nn.Module):
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
