"""Gradient descent with heavy-ball momentum (Polyak 1964), as torch.optim.SGD does it without dampening."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainable.optimizers.update_rule import RuleState, UpdateRule, dtype_of_moments, gradients
from trainable.ranges import Amount, PartBelowOne

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class GradientDescent(UpdateRule):
    """g += weight_decay * p; b = momentum * b + g; p -= lr * b, or lr * (g + momentum * b) with Nesterov.

    The buffer b of a table in bfloat16 is kept in float32.
    """

    driven: ClassVar[tuple[str, ...]] = ("momentum",)

    momentum: PartBelowOne = 0.0  # of the heavy ball; 0: none
    nesterov: bool = False  # looks ahead by one step of the momentum
    weight_decay: Amount = 0.0  # added to the gradient, not decoupled

    def start(self, parameters: Sequence[nn.Parameter]) -> RuleState:
        import torch

        # At momentum 0 too: a schedule may drive it.
        return {"buffer": [torch.zeros_like(p, dtype=dtype_of_moments(p)) for p in parameters]}

    def update(self, parameters: Sequence[nn.Parameter], state: RuleState, lr: float, step: int) -> None:
        rows = list(zip(parameters, gradients(parameters), state["buffer"], strict=True))
        self._descend([row for row in rows if row[0].dtype == row[2].dtype], lr)
        for parameter, gradient, buffer in (row for row in rows if row[0].dtype != row[2].dtype):
            exact = parameter.to(buffer.dtype)
            self._descend([(exact, gradient.to(buffer.dtype), buffer)], lr)
            parameter.copy_(exact)

    def _descend(self, rows: Sequence[tuple[Tensor, Tensor, Tensor]], lr: float) -> None:
        """Move parameters by their gradients and buffers, a row each, all of one type: few operations for many."""
        import torch

        if not rows:
            return
        moved, found, buffers = (list(column) for column in zip(*rows, strict=True))
        decayed = torch._foreach_add(found, moved, alpha=self.weight_decay)
        torch._foreach_mul_(buffers, self.momentum)
        torch._foreach_add_(buffers, decayed)
        taken = torch._foreach_add(decayed, buffers, alpha=self.momentum) if self.nesterov else buffers
        torch._foreach_add_(moved, taken, alpha=-lr)
