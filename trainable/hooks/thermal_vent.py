"""Thermal vents: every step a few random blocks learn from larger gradients. Parameter golf's W5 and W9 (worse)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.hooks.hook import Hook, State, Step, gradient, parameters_of_blocks
from trainable.no_grad import no_grad
from trainable.ranges import AfterStep, Amount, Layers

if TYPE_CHECKING:
    from trainable.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class ThermalVent(Hook):
    """Gradients of ``layers`` blocks, drawn anew at every step, times 1 + ``gain`` (0..3); gain 0 is neutral.

    After backward, on gradients; from the step after ``after_step`` on, steps being counted from 0.
    """

    gain: Amount = 0.0  # not published; the log's "2x-3x" is 1..2
    layers: Layers = 2
    after_step: AfterStep = 10

    def start(self, network: Network) -> State:
        blocks = len(parameters_of_blocks(network))
        self.check(self.gain == 0 or self.layers <= blocks, "layers", f"at most the number of blocks, {blocks}")
        return {}

    @no_grad
    def after_backward(self, step: Step, state: State) -> None:
        import torch

        if self.gain == 0 or step.index <= self.after_step:
            return
        blocks = step.blocks()
        order = torch.randperm(len(blocks), generator=step.generator, device=step.generator.device)
        heat = 1 + self.gain * (order < self.layers)  # stays on the device: nobody waits for the draw
        for parameters, factor in zip(blocks, heat, strict=True):
            for p in parameters:
                gradient(p).mul_(factor)

    @classmethod
    def neutral(cls) -> Self:
        return cls(gain=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(gain=1.0, layers=1, after_step=1)
