"""Focal loss (arXiv 1708.02002), in training only: what is easy counts less.

Parameter golf's pull request 1380 has it: its first version also evaluated with it, which made 1.1567 of a model worse
than the baseline. Its script leaves label smoothing out beside it; here the two terms add.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from trainable.losses.loss_term import LossTerm, Outputs
from trainable.ranges import Amount, Part, PositivePart

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Focal(LossTerm):
    """mean over tokens of ((1 - p)^g - 1) (-log p), p being the target's probability: at weight 1 the focal loss alone.

    g = ``gamma`` (1 - ``anneal`` * progress). gamma is 0 (neutral) to 5; anneal 1 is the script's GAMMA_ANNEAL.
    """

    tensors: ClassVar[tuple[str, ...]] = ("gamma", "anneal")

    weight: PositivePart = 1.0  # below 1 a mixture with cross-entropy
    gamma: Amount = 0.0
    anneal: Part = 0.0  # the part of gamma that is gone at the end

    def __call__(self, outputs: Outputs) -> Tensor:
        import torch

        surprise = outputs.per_token()
        unlikely = -torch.expm1(-surprise)  # 1 - p
        gamma = self.gamma * (1 - self.anneal * outputs.progress)
        # Kept off 0, where the power has no slope for a gamma under 1.
        factor = unlikely.clamp(min=torch.finfo(unlikely.dtype).tiny) ** gamma
        return ((factor - 1) * surprise).mean()

    @classmethod
    def neutral(cls) -> Self:
        return cls(gamma=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(gamma=2.0)
