"""Norms with a learned gain, torch's own, but eps is no constant of a compiled graph: modules of ``models/norms.py``.

Compiled, the formula is written out: torch's kernels take eps as a constant.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainable.networks.scalar import Scalar


class GainedLayerNorm(nn.LayerNorm):
    """gain * (x - mean) / sqrt(var + eps) + bias."""

    def __init__(self, dim: int, eps: float, bias: bool) -> None:
        super().__init__(dim, eps, bias=bias)
        self.under_root = Scalar(eps)

    def forward(self, x: Tensor) -> Tensor:
        if not torch.compiler.is_compiling():
            return super().forward(x)
        wide = x.float()
        centred = wide - wide.mean(-1, keepdim=True)
        scaled = centred * torch.rsqrt(centred.square().mean(-1, keepdim=True) + self.under_root())
        y = scaled * self.weight.float()
        return (y if self.bias is None else y + self.bias.float()).to(x.dtype)


class GainedRMSNorm(nn.RMSNorm):
    """gain * x / sqrt(mean(x^2) + eps)."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__(dim, eps)
        self.under_root = Scalar(eps)

    def forward(self, x: Tensor) -> Tensor:
        if not torch.compiler.is_compiling():
            return super().forward(x)
        wide = x.float()
        scaled = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.under_root())
        return (scaled * self.weight.float()).to(x.dtype)
