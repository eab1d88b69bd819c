"""The protocol of a model variant: its knobs, and the network that it builds from them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainable.component import Component

if TYPE_CHECKING:
    from trainable.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class Model(Component):
    """A model variant: its knobs are fields, its verb is :meth:`build`."""

    kind: ClassVar[str] = "model"
    abstract: ClassVar[bool] = True

    @property
    def has_learned_positions(self) -> bool:
        """Tell whether places beyond the training length are untrained, so that nothing longer may be evaluated."""
        return False

    @abstractmethod
    def build(self, vocab_size: int, seq_len: int) -> Network:
        """The initialised network, on the CPU, drawn from torch's global generator (the loop seeds it)."""

    @abstractmethod
    def flops_per_token(self, vocab_size: int, seq_len: int) -> int:
        """Floating-point operations of one forward and backward pass, per token: 6 per matrix weight plus attention."""
