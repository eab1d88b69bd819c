"""Attention recycling: every block attends several times with the same weights. Run U4, which crashed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from trainable.models.parts import LayerPart
from trainable.ranges import Times


@dataclass(frozen=True, kw_only=True)
class AttentionRecycling(LayerPart):
    """x += attn_scale * attention(norm(x)), ``times`` times, then the MLP; in training and in evaluation.

    The script looped the last block only, and in training only; this is what its log says. A parallel block attends
    ``times`` - 1 times by itself, then beside its MLP. times 1..3; 1 is neutral, 2 was planned.
    """

    times: Times = 1

    def attention_times(self) -> int:
        return self.times

    @classmethod
    def neutral(cls) -> Self:
        return cls(times=1)

    @classmethod
    def example(cls) -> Self:
        return cls(times=2)
