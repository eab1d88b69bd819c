"""Token masking: some inputs are replaced by any token, and the true next one is still asked for. A mainrun proposal.

Against that contest's rule that the training data are not augmented.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from trainable.hooks.hook import Hook, State, Step
from trainable.ranges import Part


@dataclass(frozen=True, kw_only=True)
class TokenMasking(Hook):
    """With probability ``prob`` each input id is drawn anew, uniformly from the vocabulary; targets stay. 0 is neutral.

    The report proposes 0.15; 0..0.3.
    """

    prob: Part = 0.0

    def before_forward(self, step: Step, state: State) -> None:
        import torch

        if self.prob == 0:
            return  # without a draw, which would move the draws of other hooks
        shape, device = step.inputs.shape, step.inputs.device
        masked = torch.rand(shape, generator=step.generator, device=device) < self.prob
        anything = torch.randint(step.network.vocab_size, shape, generator=step.generator, device=device)
        step.inputs = torch.where(masked, anything, step.inputs)

    @classmethod
    def neutral(cls) -> Self:
        return cls(prob=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(prob=0.3)
