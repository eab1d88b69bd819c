"""The module of progressive growing: a block that waits for its step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from trainable.networks.layers.gated import Gated

if TYPE_CHECKING:
    from trainable.hooks.hook import Step


class Grown(Gated):
    """A block that runs from step ``at_step`` on."""

    def __init__(self, block: nn.Module, at_step: int) -> None:
        super().__init__(block, gate=0.0, kept=True)
        self.at_step = at_step

    def before_step(self, step: Step) -> None:
        self.gate.fill_(float(step.index >= self.at_step))
