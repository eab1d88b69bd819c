"""Mirror training: some rows are read backwards. Parameter golf's U5, which its campaign never reached.

The log means that text is learned in both directions; for what its script does see ``LeakyMirrorTraining``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.hooks.hook import Hook, State, Step
from trainable.ranges import Part

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class MirrorTraining(Hook):
    """With probability ``prob`` (0..1) a row's span of T+1 tokens is reversed, then shifted into inputs and targets.

    Before the forward pass, on the batch. The reversed span is (targets reversed, then the first input), so its first T
    tokens are the targets reversed and its last T are the inputs reversed.
    """

    prob: Part = 0.0

    def before_forward(self, step: Step, state: State) -> None:
        import torch

        if self.prob == 0:
            return  # without a draw, which would move the draws of other hooks
        turned = chosen_rows(step, self.prob)
        inputs, targets = step.inputs, step.targets
        step.inputs = torch.where(turned, targets.flip(1), inputs)
        step.targets = torch.where(turned, inputs.flip(1), targets)

    @classmethod
    def neutral(cls) -> Self:
        return cls(prob=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(prob=0.5)


def chosen_rows(step: Step, prob: float) -> Tensor:
    """True for each row with probability ``prob``, as (batch, 1)."""
    import torch

    return torch.rand(len(step.inputs), 1, generator=step.generator, device=step.generator.device) < prob
