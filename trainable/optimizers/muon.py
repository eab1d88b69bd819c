"""Muon (Jordan 2024): momentum whose matrices are orthogonalised by Newton-Schulz before the step.

Matrices of one shape (or its transpose) are stacked and orthogonalised in one batched product: on small models a loop
over matrices spends its time on launches, not on arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainable.optimizers.update_rule import RuleState, UpdateRule
from trainable.ranges import Amount, Iterations, PartBelowOne, Steps

if TYPE_CHECKING:
    from torch import Tensor, nn

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # quintic coefficients of the reference implementation
CACHED_NUMBERS = 2**20  # in the matrices that a CPU treats at once


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
        import torch

        return {"momentum": [torch.zeros(len(m), *wide_shape(m[0])).to(m[0]) for m in stacks(parameters)]}

    def update(self, parameters: Sequence[nn.Parameter], state: RuleState, lr: float, step: int) -> None:
        for stack, buffer in zip(stacks(parameters), state["momentum"], strict=True):
            size = at_once(stack)
            for i in range(0, len(stack), size):
                self._update_stack(stack[i : i + size], buffer[i : i + size], lr, self.momentum_at(step))

    def _update_stack(self, members: list[nn.Parameter], buffer: Tensor, lr: float, beta: float) -> None:
        import torch

        gradient = torch.stack([wide(p.grad) for p in members])  # type: ignore[arg-type]
        torch.add(gradient, buffer, alpha=beta, out=buffer)
        direction = orthogonalise(gradient.add_(buffer, alpha=beta), self.ns_steps)
        for p, change in zip(members, direction, strict=True):
            rows, columns = p.shape
            if self.weight_decay:
                p.mul_(1 - lr * self.weight_decay)
            scale = max(1.0, rows / columns) ** 0.5
            p.add_(change.mT if rows > columns else change, alpha=-lr * scale)


def orthogonalise(matrices: Tensor, steps: int) -> Tensor:
    """A stack (n, rows, columns), rows <= columns, towards its polar factors by quintic Newton-Schulz.

    In bfloat16, as the reference does, where the device multiplies it faster; else in the given precision.
    """
    import torch

    a, b, c = NEWTON_SCHULZ
    x = matrices.bfloat16() if faster_in_bfloat16(matrices) else matrices
    x = x.div(torch.linalg.matrix_norm(x, keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = torch.bmm(x, x.mT)  # (n, rows, rows)
        gram = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, gram, x, beta=a)
    return x


def at_once(stack: Sequence[Tensor]) -> int:
    """Return how many matrices of a stack to treat together: all of them, but on a CPU no more than its cache holds."""
    return len(stack) if stack[0].device.type != "cpu" else max(1, CACHED_NUMBERS // stack[0].numel())


def faster_in_bfloat16(matrices: Tensor) -> bool:
    """Tell whether bfloat16 is faster: on accelerators, and on CPUs with AMX (3 times) from 256 x 256 on.

    On other CPUs it is 1.5 to 40 times slower.
    """
    import torch

    if matrices.device.type != "cpu":
        return matrices.dtype != torch.float64
    large = matrices[0].numel() >= 256 * 256 and matrices.dtype == torch.float32
    return large and bool(torch.cpu.get_capabilities().get("amx_bf16"))


def stacks(parameters: Sequence[nn.Parameter]) -> list[list[nn.Parameter]]:
    """The matrices grouped by shape, a matrix and its transpose alike; groups in order of first appearance."""
    found: dict[tuple[int, int], list[nn.Parameter]] = {}
    for p in parameters:
        assert p.ndim == 2, f"Muon is for matrices, not for shape {tuple(p.shape)}"
        found.setdefault(wide_shape(p), []).append(p)
    return list(found.values())


def wide_shape(matrix: Tensor) -> tuple[int, int]:
    """(shorter side, longer side)."""
    rows, columns = matrix.shape
    return min(rows, columns), max(rows, columns)


def wide(matrix: Tensor) -> Tensor:
    """The matrix, transposed if it is tall, so that Gram matrices are built on the short side."""
    return matrix.mT if matrix.shape[0] > matrix.shape[1] else matrix
