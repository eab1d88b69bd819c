"""Block parts: how attention and MLP join the residual stream. All are readings of parameter golf's phase 11."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainable.component import Component

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Block(Component):
    """The wiring of one layer; its verb builds the module around ready attention and MLP modules."""

    kind: ClassVar[str] = "block"
    abstract: ClassVar[bool] = True

    @abstractmethod
    def build(self, dim: int, attention: nn.Module, mlp: nn.Module, attention_times: int = 1) -> nn.Module:
        """A module (x, x0, rotation) -> x; x and x0 are (batch, time, dim)."""


@dataclass(frozen=True, kw_only=True)
class SequentialBlock(Block):
    """x += attn_scale * attention(norm(x)), then x += mlp_scale * mlp(norm(x)): the baseline."""

    def build(self, dim: int, attention: nn.Module, mlp: nn.Module, attention_times: int = 1) -> nn.Module:
        from trainable.networks.block import Sequential

        return Sequential(dim, attention, mlp, attention_times)


@dataclass(frozen=True, kw_only=True)
class ParallelBlock(Block):
    """h = norm(x); x += attn_scale * attention(h) + mlp_scale * mlp(h): one norm fewer (run A7, -0.019 BPB there)."""

    def build(self, dim: int, attention: nn.Module, mlp: nn.Module, attention_times: int = 1) -> nn.Module:
        from trainable.networks.block import Parallel

        return Parallel(dim, attention, mlp, attention_times)


@dataclass(frozen=True, kw_only=True)
class SandwichBlock(Block):
    """The baseline with a norm behind attention too: x += attn_scale * norm(attention(norm(x))) (run A9, -0.013)."""

    def build(self, dim: int, attention: nn.Module, mlp: nn.Module, attention_times: int = 1) -> nn.Module:
        from trainable.networks.block import Sandwich

        return Sandwich(dim, attention, mlp, attention_times)
