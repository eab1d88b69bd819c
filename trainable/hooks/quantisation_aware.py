"""Quantisation-aware training: weights learn on the grid they will be stored on. Parameter golf's 1.1586 to 1.1428.

Done outside the graph, so there is one graph whenever it starts (in one record the compiler folded a Python switch
away, and it never ran). It stands behind hooks that change weights before the forward pass: their changes would be lost
when the weights are put back. A pass that another hook makes after backward sees the weights as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.hooks.hook import Hook, State, Step
from trainable.no_grad import no_grad
from trainable.ranges import Bits, Part, Positive

if TYPE_CHECKING:
    from torch import Tensor, nn

    from trainable.networks.network import Network

OFF = -1


@dataclass(frozen=True, kw_only=True)
class QuantisationAware(Hook):
    """Forward and backward at q = s * round(w / s), s = max|w| of the row / (2^(bits - 1) - 1); q's gradient updates w.

    For the matrices of the blocks, from the first step on whose progress is at least ``start_frac`` and whose schedule
    multiplier is at most ``max_multiplier`` (late start: the records waited for 0.1..0.15; null waits for none). The
    quantised weights are evaluated too. bits 4..8; null is neutral.
    """

    bits: Bits | None = None
    start_frac: Part = 0.0
    max_multiplier: Positive | None = None

    def start(self, network: Network) -> State:
        return {"since_step": OFF}

    @no_grad
    def before_forward(self, step: Step, state: State) -> None:
        if self.bits is None:
            return
        low = self.max_multiplier is None or step.multiplier <= self.max_multiplier
        if state["since_step"] == OFF and step.progress >= self.start_frac and low:
            state["since_step"] = step.index
        if state["since_step"] == OFF:
            return
        step.log("quantised_since_step", float(state["since_step"]))
        weights = block_matrices(step.network)
        state["weights"] = [w.detach().clone() for w in weights]
        for w in weights:
            w.copy_(quantised(w, self.bits))

    @no_grad
    def after_backward(self, step: Step, state: State) -> None:
        if "weights" in state:
            for w, kept in zip(block_matrices(step.network), state.pop("weights"), strict=True):
                w.copy_(kept)

    @no_grad
    def evaluation_weights(self, network: Network, state: State) -> Sequence[Tensor] | None:
        if self.bits is None or state["since_step"] == OFF:
            return None
        matrices = {id(w) for w in block_matrices(network)}
        return [quantised(p, self.bits) if id(p) in matrices else p.detach() for p in network.parameters()]

    @classmethod
    def neutral(cls) -> Self:
        return cls(bits=None)

    @classmethod
    def example(cls) -> Self:
        return cls(bits=4, start_frac=0.5)


def quantised(w: Tensor, bits: int) -> Tensor:
    """The nearest values on each row's grid of 2^bits - 1 levels, symmetric around 0."""
    scale: Tensor = w.abs().amax(dim=-1, keepdim=True) / (2 ** (bits - 1) - 1)
    steps: Tensor = (w / scale.where(scale > 0, 1.0)).round()  # a row of zeros has no grid
    return scale * steps


def block_matrices(network: Network) -> list[nn.Parameter]:
    """The weights of the linear layers inside the blocks; each once, though blocks may share it."""
    from torch import nn

    found = {id(m.weight) for m in network.blocks.modules() if isinstance(m, nn.Linear)}
    return [w for w in network.parameters() if id(w) in found]
