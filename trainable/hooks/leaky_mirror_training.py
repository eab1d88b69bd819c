"""Mirror training as parameter golf's script has it (U5; it crashed there before its first step).

Inputs and targets are turned round each on its own: every target becomes the token read just before, an answer that the
model has seen. What its log means is ``MirrorTraining``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from trainable.hooks.hook import Hook, State, Step
from trainable.hooks.mirror_training import chosen_rows
from trainable.ranges import Part


@dataclass(frozen=True, kw_only=True)
class LeakyMirrorTraining(Hook):
    """With probability ``prob`` (0..1) a row's inputs are reversed, and its targets are reversed.

    Before the forward pass, on the batch. 0 is neutral.
    """

    prob: Part = 0.0

    def before_forward(self, step: Step, state: State) -> None:
        import torch

        if self.prob == 0:
            return  # without a draw, which would move the draws of other hooks
        turned = chosen_rows(step, self.prob)
        step.inputs = torch.where(turned, step.inputs.flip(1), step.inputs)
        step.targets = torch.where(turned, step.targets.flip(1), step.targets)

    @classmethod
    def neutral(cls) -> Self:
        return cls(prob=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(prob=0.5)
