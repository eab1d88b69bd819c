"""SmearGate: each token sees the one before it from the start. In the parameter-golf records from 1.1556 on.

The records let it look across the start of a document; here it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from trainable.models.parts import Place, StemPart
from trainable.ranges import PartBelowOne

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class SmearGate(StemPart):
    """x_t = (1 - g) x_t + g x_(t-1), g a learned share per channel, sigmoid(gate); after the norm.

    The first token of a row and one that starts a document stay as they are. ``init`` is the share at the start, below
    1: 0.5 in the records; 0 is neutral: no gate.
    """

    after_norm: ClassVar[bool] = True

    init: PartBelowOne = 0.0

    def build(self, place: Place) -> nn.Module:
        from trainable.networks.parts import PassThrough
        from trainable.networks.stem.smear_gate import Smear

        return Smear(self.init, place.dim, place.vocab_size) if self.init else PassThrough()

    @classmethod
    def neutral(cls) -> Self:
        return cls(init=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(init=0.5)
