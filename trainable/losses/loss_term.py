"""The protocol of loss terms. Cross-entropy itself is in the loop; evaluation never sees any of these."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from trainable.component import Component
from trainable.ranges import Amount

if TYPE_CHECKING:
    from torch import Tensor

    from trainable.networks.network import Network


def _zero() -> Tensor:
    import torch

    return torch.zeros(())


@dataclass(frozen=True)
class Outputs:
    """Outputs of a training forward pass, for the loss terms."""

    network: Network
    hidden: Tensor  # (batch, time, dim)
    logits: Tensor  # (batch, time, vocab), fp32, after the soft cap
    targets: Tensor  # (batch, time)
    cross_entropy: Tensor  # (), mean nats per token
    progress: Tensor = field(default_factory=_zero)  # (), spent part of the horizon

    def per_token(self) -> Tensor:
        """Nats of each token (batch * time,), of which ``cross_entropy`` is the mean."""
        import torch.nn.functional as F

        return F.cross_entropy(self.logits.flatten(0, 1), self.targets.flatten(), reduction="none")


@dataclass(frozen=True, kw_only=True)
class LossTerm(Component):
    """``weight * term(outputs)`` is added to the training loss; weight 0 is neutral."""

    kind: ClassVar[str] = "loss term"
    abstract: ClassVar[bool] = True
    needs: ClassVar[Mapping[str, Any]] = {}  # what a config must have for the term to mean something: path -> value

    # Fields that a compiled graph gets as tensors (), so that no value needs a graph of its own. The term must compute
    # with them, not branch on them; a neutral term keeps its numbers.
    tensors: ClassVar[tuple[str, ...]] = ()

    weight: Amount = 0.0  # the factor on the term in the training loss

    @abstractmethod
    def __call__(self, outputs: Outputs) -> Tensor:
        """A scalar in nats per token, before the weight."""

    @classmethod
    def neutral(cls) -> Self:
        return cls(weight=0.0)

    @classmethod
    def example(cls) -> Self:
        return replace(cls.neutral(), weight=0.1)
