"""Exponential moving average of the weights, used for evaluation only; part of every later parameter-golf record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from trainable.hooks.hook import Hook, State, Step
from trainable.models.model import Network


@dataclass(frozen=True, kw_only=True)
class WeightAverage(Hook):
    """average = decay * average + (1 - decay) * w after each update; 0 is neutral. 0.997 on runs of 10,000 steps."""

    decay: float = 0.0

    def __post_init__(self) -> None:
        self.check(0 <= self.decay < 1, "decay", "in [0, 1)")

    def start(self, network: Network) -> State:
        return {"average": [p.detach().clone() for p in network.parameters()]}

    @torch.no_grad()
    def after_update(self, step: Step, state: State) -> None:
        for average, w in zip(state["average"], step.parameters(), strict=True):
            average.lerp_(w, 1 - self.decay)

    def evaluation_weights(self, network: Network, state: State) -> Sequence[Tensor] | None:
        return list(state["average"])

    @classmethod
    def neutral(cls) -> Self:
        return cls(decay=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(decay=0.8)
