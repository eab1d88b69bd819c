"""Block parts: how attention and MLP join the residual stream. All are readings of parameter golf's phase 11."""

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
    def build(self, dim: int, attention: nn.Module, mlp: nn.Module, attention_times: int = 1) -> nn.Module:
        """A module (x, x0, rotation) -> x; x and x0 are (batch, time, dim)."""


@dataclass(frozen=True, kw_only=True)
class SequentialBlock(Block):
    """x += attn_scale * attention(norm(x)), then x += mlp_scale * mlp(norm(x)): the baseline."""

    def build(self, dim: int, attention: nn.Module, mlp: nn.Module, attention_times: int = 1) -> nn.Module:
        return Sequential(dim, attention, mlp, attention_times)


@dataclass(frozen=True, kw_only=True)
class ParallelBlock(Block):
    """h = norm(x); x += attn_scale * attention(h) + mlp_scale * mlp(h): one norm fewer (run A7, -0.019 BPB there)."""

    def build(self, dim: int, attention: nn.Module, mlp: nn.Module, attention_times: int = 1) -> nn.Module:
        return Parallel(dim, attention, mlp, attention_times)


@dataclass(frozen=True, kw_only=True)
class SandwichBlock(Block):
    """The baseline with a norm behind attention too: x += attn_scale * norm(attention(norm(x))) (run A9, -0.013)."""

    def build(self, dim: int, attention: nn.Module, mlp: nn.Module, attention_times: int = 1) -> nn.Module:
        return Sandwich(dim, attention, mlp, attention_times)


class _Residual(nn.Module):
    """What the wirings share: the learned mix with the stem and a learned scale per channel for each branch.

    Attention runs ``attention_times`` times: as often less one by itself, each time on what the last time left, and
    then with the MLP as the wiring has it.
    """

    def __init__(self, dim: int, attention: nn.Module, mlp: nn.Module, attention_times: int = 1) -> None:
        super().__init__()
        self.attention = attention
        self.mlp = mlp
        self.attn_scale = nn.Parameter(torch.ones(dim))
        self.mlp_scale = nn.Parameter(torch.ones(dim))
        self.resid_mix = nn.Parameter(torch.stack([torch.ones(dim), torch.zeros(dim)]))  # (2, dim)
        self.attention_times = attention_times

    def forward(self, x: Tensor, x0: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        keep, stem = self.resid_mix.to(x.dtype)
        x = torch.addcmul(keep * x, stem, x0)
        for _ in range(self.attention_times - 1):
            x = self.attend(x, rotation)
        return self.both(x, rotation)

    def attend(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        return torch.addcmul(x, self.attn_scale.to(x.dtype), self.attention(norm(x), rotation))

    def both(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        x = self.attend(x, rotation)
        return torch.addcmul(x, self.mlp_scale.to(x.dtype), self.mlp(norm(x)))


class Sequential(_Residual):
    """As it stands."""


class Sandwich(_Residual):
    def attend(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        return torch.addcmul(x, self.attn_scale.to(x.dtype), norm(self.attention(norm(x), rotation)))


class Parallel(_Residual):
    def both(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        h = norm(x)
        x = torch.addcmul(x, self.attn_scale.to(x.dtype), self.attention(h, rotation))
        return torch.addcmul(x, self.mlp_scale.to(x.dtype), self.mlp(h))
