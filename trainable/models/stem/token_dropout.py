"""Token dropout as parameter golf's script has it: whole embeddings are lost.

Its log speaks of lost targets instead: that is ``losses.TargetDropout``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from trainable.models.parts import Place, StemPart
from trainable.ranges import PartBelowOne

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class TokenDropout(StemPart):
    """Dropout of whole tokens: in training x_t = x_t * (u_t >= prob) / (1 - prob), after the norm.

    u_t is uniform in [0, 1), one for a token. The stem that the blocks mix back in has the same holes. prob 0..0.5; 0
    is neutral, 0.05 was run 3.
    """

    after_norm: ClassVar[bool] = True

    prob: PartBelowOne = 0.0

    def build(self, place: Place) -> nn.Module:
        from trainable.networks.parts import PassThrough
        from trainable.networks.stem.token_dropout import Dropout

        return Dropout(self.prob) if self.prob else PassThrough()

    @classmethod
    def neutral(cls) -> Self:
        return cls(prob=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(prob=0.2)
