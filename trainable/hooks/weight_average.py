"""Exponential moving average of the weights, used for evaluation only; part of every later parameter-golf record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.hooks.hook import Hook, State, Step
from trainable.no_grad import no_grad
from trainable.ranges import PartBelowOne

if TYPE_CHECKING:
    from torch import Tensor

    from trainable.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class WeightAverage(Hook):
    """average = decay * average + (1 - decay) * w after each update; 0 is neutral. 0.997 on runs of 10,000 steps.

    The average is kept in fp32: in bfloat16 a step of 0.003 would be rounded away. With ``bias_correction`` update t
    counts (1 - decay) / (1 - decay^t): the initial weights, which else keep decay^t (39 % after mainrun's 938 steps at
    0.999), have no part in it.
    """

    decay: PartBelowOne = 0.0
    bias_correction: bool = False

    def start(self, network: Network) -> State:
        import torch

        return {"average": [p.detach().to(torch.float32, copy=True) for p in network.parameters()]}

    @no_grad
    def after_update(self, step: Step, state: State) -> None:
        if not self.decay:
            return  # the average is the weights
        share = 1 - self.decay
        if self.bias_correction:
            share /= 1 - self.decay ** (step.index + 1)
        for average, w in zip(state["average"], step.parameters(), strict=True):
            average.lerp_(w.float(), share)

    def evaluation_weights(self, network: Network, state: State) -> Sequence[Tensor] | None:
        return list(state["average"]) if self.decay else None

    @classmethod
    def neutral(cls) -> Self:
        return cls(decay=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(decay=0.8)
