"""Block parts: how attention and MLP join the residual stream. Both are readings of parameter golf's phase 11."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from trainable.component import Component
from trainable.models.gradients import norm


@dataclass(frozen=True, kw_only=True)
class Block(Component):
    """The wiring of one layer; its verb builds the module around ready attention and MLP modules."""

    kind: ClassVar[str] = "block"
    abstract: ClassVar[bool] = True

    @abstractmethod
    def build(self, dim: int, attention: nn.Module, mlp: nn.Module) -> nn.Module:
        """A module (x, x0, rotation) -> x; x and x0 are (batch, time, dim)."""


@dataclass(frozen=True, kw_only=True)
class SequentialBlock(Block):
    """x += attn_scale * attention(norm(x)), then x += mlp_scale * mlp(norm(x)): the baseline."""

    def build(self, dim: int, attention: nn.Module, mlp: nn.Module) -> nn.Module:
        return Sequential(dim, attention, mlp)


@dataclass(frozen=True, kw_only=True)
class ParallelBlock(Block):
    """h = norm(x); x += attn_scale * attention(h) + mlp_scale * mlp(h): one norm fewer (run A7, -0.019 BPB there)."""

    def build(self, dim: int, attention: nn.Module, mlp: nn.Module) -> nn.Module:
        return Parallel(dim, attention, mlp)


class _Residual(nn.Module):
    """What both wirings share: the learned mix with the stem and a learned scale per channel for each branch."""

    def __init__(self, dim: int, attention: nn.Module, mlp: nn.Module) -> None:
        super().__init__()
        self.attention = attention
        self.mlp = mlp
        self.attn_scale = nn.Parameter(torch.ones(dim))
        self.mlp_scale = nn.Parameter(torch.ones(dim))
        self.resid_mix = nn.Parameter(torch.stack([torch.ones(dim), torch.zeros(dim)]))  # (2, dim)

    def mix(self, x: Tensor, x0: Tensor) -> Tensor:
        keep, stem = self.resid_mix.to(x.dtype)
        return torch.addcmul(keep * x, stem, x0)


class Sequential(_Residual):
    def forward(self, x: Tensor, x0: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        x = self.mix(x, x0)
        x = torch.addcmul(x, self.attn_scale.to(x.dtype), self.attention(norm(x), rotation))
        return torch.addcmul(x, self.mlp_scale.to(x.dtype), self.mlp(norm(x)))


class Parallel(_Residual):
    def forward(self, x: Tensor, x0: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        x = self.mix(x, x0)
        h = norm(x)
        x = torch.addcmul(x, self.attn_scale.to(x.dtype), self.attention(h, rotation))
        return torch.addcmul(x, self.mlp_scale.to(x.dtype), self.mlp(h))
