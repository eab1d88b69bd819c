"""Mycorrhizal network: distant blocks share gradients. Parameter golf's W4, W6 and W8 (worse)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from trainable.hooks.hook import Hook, State, Step, gradient, parameters_of_blocks
from trainable.no_grad import no_grad
from trainable.ranges import AfterStep, Amount, Layers

if TYPE_CHECKING:
    from trainable.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class Mycorrhizal(Hook):
    """Mixing of gradients: blocks i and i + ``distance`` (i = 0, 1, ...) each get ``alpha`` times the other's added.

    Pairs are mixed in order of i and in place, so it cascades: what block i + distance got, it passes on. Paired are
    the tensors that stand at the same place in both blocks and have one shape. After backward, on gradients; from the
    step after ``after_step`` on, steps being counted from 0. alpha is 0 (neutral) to 1.
    """

    switched_by: ClassVar[Mapping[str, str]] = {"distance": "alpha", "after_step": "alpha"}

    alpha: Amount = 0.0  # not published; 0.1 is assumed for the campaign
    distance: Layers = 3
    after_step: AfterStep = 10

    def start(self, network: Network) -> State:
        blocks = len(parameters_of_blocks(network))
        self.check(self.alpha == 0 or self.distance < blocks, "distance", f"below the number of blocks, {blocks}")
        return {}

    @no_grad
    def after_backward(self, step: Step, state: State) -> None:
        if self.alpha == 0 or step.index <= self.after_step:
            return
        blocks = step.blocks()
        for near, far in zip(blocks, blocks[self.distance :], strict=False):
            for p, q in zip(near, far, strict=False):
                if p.shape == q.shape:
                    g, h = gradient(p), gradient(q)
                    g_before = g.clone()
                    g.add_(h, alpha=self.alpha)
                    h.add_(g_before, alpha=self.alpha)

    @classmethod
    def neutral(cls) -> Self:
        return cls(alpha=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(alpha=0.5, distance=1, after_step=1)
