"""The module of layer dropout: drops a block for a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trainable.networks.layers.gated import Gated

if TYPE_CHECKING:
    from trainable.hooks.hook import Step


class Dropped(Gated):
    """Block that is dropped for a step with probability ``prob``."""

    def __init__(self, block: nn.Module, prob: float) -> None:
        super().__init__(block, gate=1.0, kept=False)
        self.prob = prob

    def before_step(self, step: Step) -> None:
        drawn = torch.rand((), generator=step.generator, device=self.gate.device)
        self.gate.copy_((drawn >= self.prob) / (1 - self.prob))

    def forward(self, x: Tensor, x0: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        if self.training:
            return super().forward(x, x0, rotation)
        out: Tensor = self.block(x, x0, rotation)
        return out
