"""The module of depth recurrence: runs layers again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trainable.networks.parts import Live

if TYPE_CHECKING:
    from trainable.hooks.hook import Step


class Loop(Live):
    """The last of some layers, and then all of them again."""

    strength: Tensor  # (), 0 or 1

    def __init__(self, layers: Sequence[nn.Module], times: int, start_frac: float) -> None:
        super().__init__()
        self.block, self.layers = layers[-1], tuple(layers)  # the others stand in the network already
        self.times, self.start_frac = times, start_frac
        self.register_buffer("strength", torch.zeros(()))

    def before_step(self, step: Step) -> None:
        self.strength.fill_(float(step.progress >= self.start_frac))

    def forward(self, x: Tensor, x0: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        once = again = self.block(x, x0, rotation)
        for _ in range(self.times - 1):
            for layer in self.layers:
                again = layer(again, x0, rotation)
        return torch.lerp(once, again, self.strength.to(once.dtype))
