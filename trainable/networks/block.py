"""Wirings of one layer around ready attention and MLP modules: the modules of ``models/block.py``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainable.networks.gradients import norm


class _Residual(nn.Module):
    """Base of the wirings: the learned mix with the stem and a learned scale per channel for each branch.

    Attention runs ``attention_times`` times: all but the last by itself, each on what the one before it left, and the
    last together with the MLP, as the wiring has it.
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
    """Wiring with the attention before the MLP."""


class Sandwich(_Residual):
    def attend(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        return torch.addcmul(x, self.attn_scale.to(x.dtype), norm(self.attention(norm(x), rotation)))


class Parallel(_Residual):
    def both(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        h = norm(x)
        x = torch.addcmul(x, self.attn_scale.to(x.dtype), self.attention(h, rotation))
        return torch.addcmul(x, self.mlp_scale.to(x.dtype), self.mlp(h))
