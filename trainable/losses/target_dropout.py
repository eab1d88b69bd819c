"""Target dropout: token dropout as parameter golf's log describes it (run 3): tokens are dropped from the loss.

Its published script drops tokens from the input instead: ``model.stem.TokenDropout``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from trainable.losses.loss_term import LossTerm, Outputs
from trainable.ranges import PartBelowOne, PositivePart

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class TargetDropout(LossTerm):
    """The mean of -log p over the tokens kept, less that over all: at weight 1 those kept are the loss.

    Each token is dropped with probability ``prob``, 0 (neutral) to 0.5, drawn anew for every micro-batch.
    """

    tensors: ClassVar[tuple[str, ...]] = ("prob",)

    weight: PositivePart = 1.0  # below 1 dropped tokens count for 1 - weight, roughly
    prob: PartBelowOne = 0.0

    def __call__(self, outputs: Outputs) -> Tensor:
        import torch

        if not isinstance(self.prob, torch.Tensor) and self.prob == 0:
            return torch.zeros_like(outputs.cross_entropy)  # without a draw, which would move others
        surprise = outputs.per_token()
        kept = (torch.rand_like(surprise) >= self.prob).to(surprise.dtype)
        return (kept * surprise).sum() / kept.sum().clamp(min=1) - outputs.cross_entropy

    @classmethod
    def neutral(cls) -> Self:
        return cls(prob=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(prob=0.5)
