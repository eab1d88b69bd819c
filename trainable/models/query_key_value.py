"""Queries, keys and values of nanochat: heads of their own, or one latent that all keys and values come from.

A swap in one place: the rest of the model sees only (q, k, v), each (batch, time, heads, head_dim).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from terminal.nearest import nearest

from trainable.component import Component
from trainable.ranges import Heads, Positive

if TYPE_CHECKING:
    from trainable.networks.causal_attention import MeasurableAttention

ORDERS = ("rope_norm", "norm_rope", "no_norm")


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
        from trainable.networks.query_key_value import HeadProjections

        return HeadProjections(self, dim, num_heads, head_dim)

    def num_matrix_weights(self, dim: int, num_heads: int, head_dim: int) -> int:
        return dim * head_dim * (num_heads + 2 * self.num_kv_heads(num_heads))
