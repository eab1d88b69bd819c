"""Head pruning: many heads learn, a few are kept. Run U6, which was never coded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

from trainable.models.parts import AttentionPart, Live, PassThrough, Place
from trainable.ranges import Heads, Steps

if TYPE_CHECKING:
    from trainable.hooks.hook import Step


@dataclass(frozen=True, kw_only=True)
class HeadPruning(AttentionPart):
    """From step ``at_step`` (from 0) on only ``keep`` heads of each layer put something out, in evaluation too.

    Kept are those whose columns of the output projection have the largest norms at that step. The others are masked and
    still computed. null is neutral; 8 of 16 at step 100 were planned.
    """

    keep: Heads | None = None
    at_step: Steps = 100

    def check_fit(self, num_layers: int, num_heads: int) -> None:
        self.check(self.keep is None or self.keep <= num_heads, "keep", f"null or in 1..num_heads = {num_heads}")

    def build(self, place: Place) -> nn.Module:
        return HeadMask(self.keep, self.at_step, place.num_heads) if self.keep else PassThrough()

    @classmethod
    def neutral(cls) -> Self:
        return cls(keep=None)

    @classmethod
    def example(cls) -> Self:
        return cls(keep=2, at_step=2)


class HeadMask(Live):
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
