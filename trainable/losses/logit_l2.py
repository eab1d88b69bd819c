"""L2 penalty on logits. Parameter golf's run 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainable.losses.loss_term import LossTerm, Outputs

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class LogitL2(LossTerm):
    """mean over tokens and vocabulary of logit^2; usual weights 1e-7..1e-2."""

    def __call__(self, outputs: Outputs) -> Tensor:
        return outputs.logits.square().mean()
