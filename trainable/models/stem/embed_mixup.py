"""Mixup of embeddings in training, in both readings: parameter golf's script mixes neighbours, its log random pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from terminal.nearest import rule_of_names

from trainable.models.parts import Place, StemPart
from trainable.ranges import Part

if TYPE_CHECKING:
    from torch import nn

PAIRINGS = ("previous", "rolled", "random")


@dataclass(frozen=True, kw_only=True)
class EmbedMixup(StemPart):
    """Mixup of embeddings: in training x_t = (1 - a) x_t + a y_t, where a = weight * u_t; before the norm.

    u_t is uniform in [0, 1), one for a token. y_t is the embedding before it (``previous``, the first mixed with
    itself; ``rolled``, as the script has it: the first with the row's last, which lies ahead) or the one at the same
    position of another row of the batch, rows paired anew at each pass (``random``). weight 0..0.5; 0 is neutral, 0.1
    was run 4.
    """

    weight: Part = 0.0
    pairing: str = "previous"  # with the token before; rolled: the first with the last; or random

    def validate(self) -> None:
        rule = rule_of_names(self.pairing, PAIRINGS)
        self.check(self.pairing in PAIRINGS, "pairing", rule)

    def build(self, place: Place) -> nn.Module:
        from trainable.networks.parts import PassThrough
        from trainable.networks.stem.embed_mixup import PreviousMixup, RandomMixup, RolledMixup

        if not self.weight:
            return PassThrough()
        mixups = {"previous": PreviousMixup, "rolled": RolledMixup, "random": RandomMixup}
        return mixups[self.pairing](self.weight)

    @classmethod
    def neutral(cls) -> Self:
        return cls(weight=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(weight=0.3)
