"""A temperature on the training logits. In parameter golf's script (LOGIT_TEMP), never run in its log.

There the other terms see the divided logits too; here each sees those of the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from trainable.losses.loss_term import LossTerm, Outputs
from trainable.ranges import Positive, PositivePart

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class LogitTemperature(LossTerm):
    """Cross-entropy of logits / ``temperature``, less that of the logits: at weight 1 the former alone.

    A temperature of 1 is neutral.
    """

    tensors: ClassVar[tuple[str, ...]] = ("temperature",)

    weight: PositivePart = 1.0
    temperature: Positive = 1.0  # usually 0.5..2

    def __call__(self, outputs: Outputs) -> Tensor:
        import torch.nn.functional as F

        divided = outputs.logits / self.temperature
        return F.cross_entropy(divided.flatten(0, 1), outputs.targets.flatten()) - outputs.cross_entropy

    @classmethod
    def neutral(cls) -> Self:
        return cls(temperature=1.0)

    @classmethod
    def example(cls) -> Self:
        return cls(temperature=2.0)
