"""Head pruning: many heads learn, a few are kept. Run U6, which was never coded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.models.parts import AttentionPart, Place
from trainable.ranges import Heads, Steps

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class HeadPruning(AttentionPart):
    """Head pruning: from step ``at_step`` (from 0) on only ``keep`` heads a layer put out, in evaluation too.

    Kept are those whose columns of the output projection have the largest norms at that step. The others are masked and
    still computed. null is neutral; 8 of 16 at step 100 were planned.
    """

    keep: Heads | None = None
    at_step: Steps = 100

    def check_fit(self, num_layers: int, num_heads: int) -> None:
        self.check(self.keep is None or self.keep <= num_heads, "keep", f"null or in 1..num_heads = {num_heads}")

    def build(self, place: Place) -> nn.Module:
        from trainable.networks.attention.head_pruning import HeadMask
        from trainable.networks.parts import PassThrough

        return HeadMask(self.keep, self.at_step, place.num_heads) if self.keep else PassThrough()

    @classmethod
    def neutral(cls) -> Self:
        return cls(keep=None)

    @classmethod
    def example(cls) -> Self:
        return cls(keep=2, at_step=2)
