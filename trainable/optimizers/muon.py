"""Muon (Jordan 2024): momentum whose matrices are orthogonalised by Newton-Schulz before the step.

Matrices of one shape (or its transpose) are stacked and orthogonalised in one batched product: see ``stack.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainable.optimizers.iteration_precision import in_bfloat16
from trainable.optimizers.stack import Stack, stacks
from trainable.optimizers.update_rule import RuleState, UpdateRule
from trainable.ranges import Amount, Iterations, PartBelowOne, Steps

if TYPE_CHECKING:
    from torch import Tensor, nn

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # quintic coefficients of the reference implementation


@dataclass(frozen=True, kw_only=True)
class Muon(UpdateRule):
    """b = momentum * b + g; u = g + momentum * b (Nesterov); p -= lr * sqrt(max(1, rows/cols)) * orthogonal(u).

    The momentum ramps linearly from ``momentum_start`` over ``momentum_warmup_steps`` updates. Weight decay is
    decoupled: p *= 1 - lr * weight_decay.
    """

    driven: ClassVar[tuple[str, ...]] = ("momentum", "momentum_start")

    momentum: PartBelowOne = 0.95  # at its full value
    momentum_start: PartBelowOne = 0.85
    momentum_warmup_steps: Steps = 500
    ns_steps: Iterations = 5  # Newton-Schulz iterations
    weight_decay: Amount = 0.0

    def momentum_at(self, step: int) -> float:
        """The momentum of update ``step``, counted from 0."""
        ramp = 1.0 if self.momentum_warmup_steps == 0 else min(1.0, step / self.momentum_warmup_steps)
        return (1 - ramp) * self.momentum_start + ramp * self.momentum

    def start(self, parameters: Sequence[nn.Parameter]) -> RuleState:
        found = stacks(parameters)
        return {"momentum": [stack.zeros() for stack in found], "bfloat16": in_bfloat16(found)}

    def update(self, parameters: Sequence[nn.Parameter], state: RuleState, lr: float, step: int) -> None:
        for stack, buffer in zip(stacks(parameters), state["momentum"], strict=True):
            for part, place in stack.parts():
                direction = self._moved(part.gradients(), buffer[place], self.momentum_at(step))
                direction = direction.bfloat16() if state["bfloat16"] else direction
                self._apply(part, orthogonalise(direction, self.ns_steps), lr)

    def _moved(self, gradient: Tensor, buffer: Tensor, beta: float) -> Tensor:
        import torch

        torch.add(gradient, buffer, alpha=beta, out=buffer)
        return gradient.add_(buffer, alpha=beta)

    def _apply(self, stack: Stack, directions: Tensor, lr: float) -> None:
        import torch

        for members, changes in stack.changes(directions):
            rows, columns = members[0].shape
            if self.weight_decay:
                torch._foreach_mul_(members, 1 - lr * self.weight_decay)
            torch._foreach_add_(members, changes.unbind(), alpha=-lr * max(1.0, rows / columns) ** 0.5)


def orthogonalise(matrices: Tensor, steps: int) -> Tensor:
    """A stack (n, rows, columns), rows <= columns, towards its polar factors by quintic Newton-Schulz."""
    import torch

    a, b, c = NEWTON_SCHULZ
    x = matrices.div(torch.linalg.matrix_norm(matrices, keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = torch.bmm(x, x.mT)  # (n, rows, rows)
        gram = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, gram, x, beta=a)
    return x
