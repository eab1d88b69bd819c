"""z-loss (PaLM, arXiv 2204.02311): keeps the softmax normaliser near 1. Parameter golf's run 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainable.losses.loss_term import LossTerm, Outputs

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class ZLoss(LossTerm):
    """mean over tokens of logsumexp(logits)^2; usual weights 1e-6..1e-2."""

    def __call__(self, outputs: Outputs) -> Tensor:
        return outputs.logits.logsumexp(-1).square().mean()
