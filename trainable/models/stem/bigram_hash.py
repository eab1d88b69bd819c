"""BigramHash: a second table, of token pairs. In the parameter-golf records from 1.1458 to 1.1147."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.models.parts import Place, StemPart
from trainable.ranges import Buckets, Width

if TYPE_CHECKING:
    from torch import nn


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
        from trainable.networks.parts import PassThrough
        from trainable.networks.stem.bigram_hash import PairTable

        return PairTable(self.buckets, self.dim, place.dim) if self.buckets else PassThrough()

    def num_matrix_weights(self, dim: int) -> int:
        return self.dim * dim if self.buckets else 0

    @classmethod
    def neutral(cls) -> Self:
        return cls(buckets=None)

    @classmethod
    def example(cls) -> Self:
        return cls(buckets=64, dim=8)
