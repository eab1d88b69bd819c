"""Queries, keys and values by a matrix each, turned and normalised: the module of ``models/query_key_value.py``."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainable.models.query_key_value import SeparateHeads
from trainable.networks.causal_attention import MeasurableAttention
from trainable.networks.gradients import norm, rotate
from trainable.networks.mlp import weight_of
from trainable.networks.scalar import Scalar

Rotation = tuple[Tensor, Tensor]  # cosines and sines, (time, 1, head_dim / 2)


class HeadProjections(MeasurableAttention):
    """The module of :class:`SeparateHeads`."""

    def __init__(self, config: SeparateHeads, dim: int, num_heads: int, head_dim: int) -> None:
        super().__init__()
        self.head_dim, self.num_heads = head_dim, num_heads
        self.num_kv_heads = config.num_kv_heads(num_heads)
        self.place, self.gain = PLACES[config.order], Scalar(config.gain)
        self.q = uniform_linear(dim, num_heads * head_dim)
        self.k = uniform_linear(dim, self.num_kv_heads * head_dim)
        self.v = uniform_linear(dim, self.num_kv_heads * head_dim)

    def forward(self, x: Tensor, rotation: Rotation) -> tuple[Tensor, Tensor, Tensor]:
        batch, time, _ = x.shape
        heads = F.linear(x, weight_of(self.q, self.k, self.v)).view(batch, time, -1, self.head_dim)
        q_and_k, v = torch.split(heads, [self.num_heads + self.num_kv_heads, self.num_kv_heads], dim=2)
        q, k = torch.split(self.place(q_and_k, rotation) * self.gain(), [self.num_heads, self.num_kv_heads], dim=2)
        return q, k, v


def rope_norm(x: Tensor, rotation: Rotation) -> Tensor:
    return norm(rotate(x, *rotation))


def norm_rope(x: Tensor, rotation: Rotation) -> Tensor:
    return rotate(norm(x), *rotation)


def no_norm(x: Tensor, rotation: Rotation) -> Tensor:
    return rotate(x, *rotation)


PLACES: dict[str, Callable[[Tensor, Rotation], Tensor]] = {
    "rope_norm": rope_norm,
    "norm_rope": norm_rope,
    "no_norm": no_norm,
}


def uniform_linear(dim: int, out: int, scale: float = 1.0) -> nn.Linear:
    """Make a linear layer without bias, weights uniform with standard deviation scale / sqrt(dim)."""
    linear = nn.Linear(dim, out, bias=False)
    bound = scale * (3 / dim) ** 0.5
    nn.init.uniform_(linear.weight, -bound, bound)
    return linear
