"""The module of Metamorphosis: dropout that fades away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trainable.models.layers.metamorphosis_dropout import MetamorphosisDropout
from trainable.networks.parts import Live

if TYPE_CHECKING:
    from trainable.hooks.hook import Step


class FadingDropout(Live):
    """Sublayer whose outputs are dropped with a probability that the progress sets."""

    prob: Tensor  # ()

    def __init__(self, sublayer: nn.Module, part: MetamorphosisDropout) -> None:
        super().__init__()
        self.sublayer = sublayer
        self.part = part
        self.register_buffer("prob", torch.tensor(part.start), persistent=False)

    def before_step(self, step: Step) -> None:
        self.prob.fill_(self.part.prob(step.progress))

    def forward(self, x: Tensor, *others: object) -> Tensor:
        y: Tensor = self.sublayer(x, *others)
        if not self.training:
            return y
        kept = torch.rand(y.shape, device=y.device) >= self.prob
        return y * (kept / (1 - self.prob)).to(y.dtype)
