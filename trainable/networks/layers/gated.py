"""A block behind a gate, which is a tensor: what switches layers on and off within one graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainable.networks.parts import Live


class Gated(Live):
    """x + gate * (block(x) - x): exactly x at 0, exactly block(x) at 1. ``kept`` gates are part of a checkpoint."""

    gate: Tensor  # ()

    def __init__(self, block: nn.Module, gate: float, kept: bool) -> None:
        super().__init__()
        self.block = block
        self.register_buffer("gate", torch.tensor(gate), persistent=kept)

    def forward(self, x: Tensor, x0: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        y = self.block(x, x0, rotation)
        return torch.lerp(x.to(y.dtype), y, self.gate.to(y.dtype))
