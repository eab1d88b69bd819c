"""The module of head pruning: a mask over the heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from trainable.networks.parts import Live

if TYPE_CHECKING:
    from trainable.hooks.hook import Step


class HeadMask(Live):
    """Mask of an attention's output that keeps the strongest heads."""

    mask: Tensor  # (heads,), 1 where a head is kept

    def __init__(self, keep: int, at_step: int, num_heads: int) -> None:
        super().__init__()
        self.keep, self.at_step = keep, at_step
        self.register_buffer("mask", torch.ones(num_heads))

    @torch.no_grad()
    def before_step(self, step: Step) -> None:
        if step.index != self.at_step:
            return
        attention: Any = next(m for m in step.network.modules() if self in getattr(m, "parts", ()))
        projection: Tensor = attention.proj.weight.float()  # (dim, heads * head_dim)
        norms = projection.view(len(projection), len(self.mask), -1).square().sum((0, 2))
        strongest = norms.topk(self.keep).indices
        self.mask.zero_().index_fill_(0, strongest, 1.0)

    def forward(self, y: Tensor, v: Tensor, x: Tensor) -> Tensor:
        return y * self.mask.to(y.dtype)[:, None]
