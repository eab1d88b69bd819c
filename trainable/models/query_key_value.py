"""How nanochat makes queries, keys and values: heads of their own, or one latent that all keys and values come from.

A swap in one place: the rest of the model sees only (q, k, v), each (batch, time, heads, head_dim).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from terminal.nearest import nearest
from torch import Tensor, nn

from trainable.component import Component
from trainable.models.causal_attention import MeasurableAttention
from trainable.models.gradients import norm, rotate
from trainable.models.mlp import weight_of
from trainable.ranges import Heads, Positive

Rotation = tuple[Tensor, Tensor]  # cosines and sines, (time, 1, head_dim / 2)


@dataclass(frozen=True, kw_only=True)
class QueryKeyValue(Component):
    """The projections before attention; weights are drawn uniformly with a standard deviation of 1/sqrt(dim)."""

    kind: ClassVar[str] = "qkv"
    abstract: ClassVar[bool] = True

    @abstractmethod
    def num_kv_heads(self, num_heads: int) -> int:
        """Key/value heads; a ValueError where they do not fit."""

    @abstractmethod
    def build(self, dim: int, num_heads: int, head_dim: int) -> MeasurableAttention:
        """The module: (x, rotation) -> (q, k, v)."""

    @abstractmethod
    def num_matrix_weights(self, dim: int, num_heads: int, head_dim: int) -> int:
        """Weights that take part in matrix products."""


@dataclass(frozen=True, kw_only=True)
class SeparateHeads(QueryKeyValue):
    """A matrix each for q, k and v. RoPE, then q and k to RMS norm 1 per head, then both times ``gain`` (nanochat).

    Hence no logit exceeds gain^2 sqrt(head_dim). ``order`` says what comes first; "no_norm" leaves the norm out.
    """

    kv_head_divisor: Heads = 1  # query heads that share a key/value head; num_heads is multi-query attention
    order: str = "rope_norm"  # or norm_rope, no_norm
    gain: Positive = 1.2  # of q and of k, after the norm

    def validate(self) -> None:
        self.check(self.order in ORDERS, "order", f"a known one: {nearest(self.order, ORDERS, 'orders')}")

    def num_kv_heads(self, num_heads: int) -> int:
        self.check(num_heads % self.kv_head_divisor == 0, "kv_head_divisor", f"a divisor of the {num_heads} heads")
        return num_heads // self.kv_head_divisor

    def build(self, dim: int, num_heads: int, head_dim: int) -> MeasurableAttention:
        return HeadProjections(self, dim, num_heads, head_dim)

    def num_matrix_weights(self, dim: int, num_heads: int, head_dim: int) -> int:
        return dim * head_dim * (num_heads + 2 * self.num_kv_heads(num_heads))


class HeadProjections(MeasurableAttention):
    """The module of :class:`SeparateHeads`."""

    def __init__(self, config: SeparateHeads, dim: int, num_heads: int, head_dim: int) -> None:
        super().__init__()
        self.head_dim, self.num_heads = head_dim, num_heads
        self.num_kv_heads = config.num_kv_heads(num_heads)
        self.place, self.gain = ORDERS[config.order], config.gain
        self.q = uniform_linear(dim, num_heads * head_dim)
        self.k = uniform_linear(dim, self.num_kv_heads * head_dim)
        self.v = uniform_linear(dim, self.num_kv_heads * head_dim)

    def forward(self, x: Tensor, rotation: Rotation) -> tuple[Tensor, Tensor, Tensor]:
        batch, time, _ = x.shape
        heads = F.linear(x, weight_of(self.q, self.k, self.v)).view(batch, time, -1, self.head_dim)
        q_and_k, v = torch.split(heads, [self.num_heads + self.num_kv_heads, self.num_kv_heads], dim=2)
        q, k = torch.split(self.place(q_and_k, rotation) * self.gain, [self.num_heads, self.num_kv_heads], dim=2)
        return q, k, v


def rope_norm(x: Tensor, rotation: Rotation) -> Tensor:
    return norm(rotate(x, *rotation))


def norm_rope(x: Tensor, rotation: Rotation) -> Tensor:
    return rotate(norm(x), *rotation)


def no_norm(x: Tensor, rotation: Rotation) -> Tensor:
    return rotate(x, *rotation)


ORDERS: dict[str, Callable[[Tensor, Rotation], Tensor]] = {
    "rope_norm": rope_norm,
    "norm_rope": norm_rope,
    "no_norm": no_norm,
}


def uniform_linear(dim: int, out: int, scale: float = 1.0) -> nn.Linear:
    """Without bias, weights uniform with standard deviation scale / sqrt(dim)."""
    linear = nn.Linear(dim, out, bias=False)
    bound = scale * (3 / dim) ** 0.5
    nn.init.uniform_(linear.weight, -bound, bound)
    return linear
