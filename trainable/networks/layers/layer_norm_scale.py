"""The module of layer-norm scale: shrinks a sub-layer's input."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Scaled(nn.Module):
    factor: Tensor  # ()

    def __init__(self, sublayer: nn.Module, factor: float) -> None:
        super().__init__()
        self.sublayer = sublayer
        self.register_buffer("factor", torch.tensor(factor), persistent=False)

    def forward(self, x: Tensor, *others: object) -> Tensor:
        y: Tensor = self.sublayer(x * self.factor.to(x.dtype), *others)
        return y
