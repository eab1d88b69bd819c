"""Metamorphosis: dropout that fades away. Run N6, whose patch broke; where it dropped is not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.models.parts import LayerPart, Place
from trainable.ranges import PartBelowOne, PositivePart

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class MetamorphosisDropout(LayerPart):
    """Fading dropout on the outputs of attention and MLP: in training y = y * (u >= p) / (1 - p).

    p = start * max(0, 1 - t / end_frac), u is uniform in [0, 1), one for an element, and t is the progress. start is
    0..0.5, end_frac in (0, 1]; start 0 is neutral, 0.1 was run N6.
    """

    start: PartBelowOne = 0.0
    end_frac: PositivePart = 0.5

    def wrap_sublayer(self, sublayer: nn.Module, place: Place) -> nn.Module:
        from trainable.networks.layers.metamorphosis_dropout import FadingDropout

        return FadingDropout(sublayer, self) if self.start else sublayer

    def prob(self, progress: float) -> float:
        return self.start * max(0.0, 1 - progress / self.end_frac)

    @classmethod
    def neutral(cls) -> Self:
        return cls(start=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(start=0.2, end_frac=0.5)
