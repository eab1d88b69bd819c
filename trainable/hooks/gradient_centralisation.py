"""Gradient centralisation (arXiv 2004.01461). In parameter golf's script, never run in its log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from trainable.hooks.hook import Hook, State, Step, gradient
from trainable.no_grad import no_grad
from trainable.ranges import Part


@dataclass(frozen=True, kw_only=True)
class GradientCentralisation(Hook):
    """g -= ``strength`` * mean of g over all axes but the first, for tensors of two or more dimensions.

    After backward, on gradients, before all others that change them. strength is 0 (neutral) to 1 (the paper).
    """

    strength: Part = 0.0

    @no_grad
    def after_backward(self, step: Step, state: State) -> None:
        if not self.strength:
            return
        for p in step.tensors():
            g = gradient(p)
            g.sub_(g.mean(dim=tuple(range(1, g.ndim)), keepdim=True), alpha=self.strength)

    @classmethod
    def neutral(cls) -> Self:
        return cls(strength=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(strength=1.0)
