"""Entropy of the predictions (arXiv 1701.06548). In parameter golf's script, never run in its log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainable.losses.loss_term import LossTerm, Outputs
from trainable.ranges import Signed

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class EntropyBonus(LossTerm):
    """mean over tokens of -sum p log p; usual weights -0.1..0.1.

    It is added to the loss, so a positive weight makes predictions sharper and a negative one flatter; the script's
    comments have it the other way round.
    """

    weight: Signed = 0.0

    def __call__(self, outputs: Outputs) -> Tensor:
        log_p = outputs.logits.log_softmax(-1)
        return -(log_p.exp() * log_p).sum(-1).mean()
