"""The module of the gate on what the heads put out."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Gate(nn.Module):
    scale: Tensor

    def __init__(self, scale: float, dim: int) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor(scale), persistent=False)
        # Made without drawing numbers, so that the rest of the model starts as without a gate.
        self.gate = nn.Linear(dim, dim, bias=False, device="meta").to_empty(device="cpu")
        nn.init.zeros_(self.gate.weight)

    def forward(self, y: Tensor, v: Tensor, x: Tensor) -> Tensor:
        return y * (self.scale * torch.sigmoid(self.gate(x))).to(y.dtype).view_as(y)
