"""Gradient descent with heavy-ball momentum (Polyak 1964), as torch.optim.SGD does it without dampening."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainable.optimizers.update_rule import RuleState, UpdateRule, gradients
from trainable.ranges import Amount, PartBelowOne

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class GradientDescent(UpdateRule):
    """g += weight_decay * p; b = momentum * b + g; p -= lr * b, or lr * (g + momentum * b) with Nesterov."""

    driven: ClassVar[tuple[str, ...]] = ("momentum",)

    momentum: PartBelowOne = 0.0  # of the heavy ball; 0: none
    nesterov: bool = False  # looks ahead by one step of the momentum
    weight_decay: Amount = 0.0  # added to the gradient, not decoupled

    def start(self, parameters: Sequence[nn.Parameter]) -> RuleState:
        import torch

        return {"buffer": [torch.zeros_like(p) for p in parameters]}  # at momentum 0 too: a schedule may drive it

    def update(self, parameters: Sequence[nn.Parameter], state: RuleState, lr: float, step: int) -> None:
        import torch

        moved: list[Tensor] = [*parameters]
        buffers = state["buffer"]
        decayed = torch._foreach_add(gradients(moved), moved, alpha=self.weight_decay)
        torch._foreach_mul_(buffers, self.momentum)
        torch._foreach_add_(buffers, decayed)
        taken = torch._foreach_add(decayed, buffers, alpha=self.momentum) if self.nesterov else buffers
        torch._foreach_add_(moved, taken, alpha=-lr)
