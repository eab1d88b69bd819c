"""The protocol of loss terms. Cross-entropy itself is in the loop; evaluation never sees any of these."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from torch import Tensor

from trainable.component import Component
from trainable.models.model import Network


@dataclass(frozen=True)
class Outputs:
    """What a training forward pass leaves for the loss terms."""

    network: Network
    hidden: Tensor  # (batch, time, dim)
    logits: Tensor  # (batch, time, vocab), fp32, after the soft cap
    targets: Tensor  # (batch, time)
    cross_entropy: Tensor  # (), mean nats per token


@dataclass(frozen=True, kw_only=True)
class LossTerm(Component):
    """``weight * term(outputs)`` is added to the training loss; weight 0 is neutral."""

    kind: ClassVar[str] = "loss term"
    abstract: ClassVar[bool] = True

    weight: float = 0.0

    def __post_init__(self) -> None:
        self.check(self.weight >= 0, "weight", "0 or more")

    @abstractmethod
    def __call__(self, outputs: Outputs) -> Tensor:
        """A scalar in nats per token, before the weight."""

    @classmethod
    def neutral(cls) -> Self:
        return cls(weight=0.0)

    @classmethod
    def example(cls) -> Self:
        return replace(cls.neutral(), weight=0.1)
