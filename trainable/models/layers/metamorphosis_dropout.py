"""Metamorphosis: dropout that fades away. Run N6, whose patch broke; where it dropped is not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor, nn

from trainable.models.parts import LayerPart, Live, Place
from trainable.ranges import PartBelowOne, PositivePart

if TYPE_CHECKING:
    from trainable.hooks.hook import Step


@dataclass(frozen=True, kw_only=True)
class MetamorphosisDropout(LayerPart):
    """In training y = y * (u >= p) / (1 - p) on the outputs of attention and MLP, p = start * max(0, 1 - t / end_frac).

    u is uniform in [0, 1), one for an element, and t is the progress. start 0..0.5, end_frac in (0, 1]; start 0 is
    neutral, 0.1 was run N6.
    """

    start: PartBelowOne = 0.0
    end_frac: PositivePart = 0.5

    def wrap_sublayer(self, sublayer: nn.Module, place: Place) -> nn.Module:
        return FadingDropout(sublayer, self) if self.start else sublayer

    def prob(self, progress: float) -> float:
        return self.start * max(0.0, 1 - progress / self.end_frac)

    @classmethod
    def neutral(cls) -> Self:
        return cls(start=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(start=0.2, end_frac=0.5)


class FadingDropout(Live):
    prob: Tensor  # ()

    def __init__(self, sublayer: nn.Module, part: MetamorphosisDropout) -> None:
        super().__init__()
        self.sublayer = sublayer
        self.part = part
        self.register_buffer("prob", torch.tensor(part.start), persistent=False)

    def before_step(self, step: Step) -> None:
        self.prob.fill_(self.part.prob(step.progress))

    def forward(self, x: Tensor, *others: object) -> Tensor:
        y: Tensor = self.sublayer(x, *others)
        if not self.training:
            return y
        kept = torch.rand(y.shape, device=y.device) >= self.prob
        return y * (kept / (1 - self.prob)).to(y.dtype)
