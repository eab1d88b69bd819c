"""XSA: a head puts out nothing of its own token's value. Parameter golf's 1.1307 (3 layers) to 1.1147 (all layers)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch.nn.functional as F
from torch import Tensor, nn

from trainable.models.parts import AttentionPart, PassThrough, Place
from trainable.ranges import LayerIndex


@dataclass(frozen=True, kw_only=True)
class ExclusiveSelfAttention(AttentionPart):
    """y -= (y . u) u, u = v / |v| of the token's own value, in the last ``last_layers`` layers.

    A key/value head serves its group of heads. last_layers 0..num_layers; 0 is neutral.
    """

    last_layers: LayerIndex = 0

    def check_fit(self, num_layers: int, num_heads: int) -> None:
        self.check(self.last_layers <= num_layers, "last_layers", f"in 0..num_layers = {num_layers}")

    def build(self, place: Place) -> nn.Module:
        return Exclusive() if place.index >= place.num_layers - self.last_layers else PassThrough()

    @classmethod
    def neutral(cls) -> Self:
        return cls(last_layers=0)

    @classmethod
    def example(cls) -> Self:
        return cls(last_layers=1)


class Exclusive(nn.Module):
    def forward(self, y: Tensor, v: Tensor, x: Tensor) -> Tensor:
        batch, time, kv_heads, head_dim = v.shape
        groups = y.reshape(batch, time, kv_heads, -1, head_dim)
        own = F.normalize(v, dim=-1)[:, :, :, None].to(y.dtype)
        return (groups - (groups * own).sum(-1, keepdim=True) * own).reshape(y.shape)
