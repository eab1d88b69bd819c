"""Adam and AdamW (arXiv 1412.6980, 1711.05101): torch's fused kernel over state that the loop owns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from trainable.optimizers.update_rule import RuleState, UpdateRule, dtype_of_moments, gradients
from trainable.ranges import Amount, PartBelowOne, Positive

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Adam(UpdateRule):
    """p -= lr * m_hat / (sqrt(v_hat) + eps), after p *= 1 - lr * weight_decay (decoupled).

    The moments of a table in bfloat16 are kept in float32: with eight significant bits a running mean at a decay of
    0.999 stands still, as each of its steps is rounded away.
    """

    driven: ClassVar[tuple[str, ...]] = ("beta1",)

    beta1: PartBelowOne = 0.9  # decay of the running mean of gradients
    beta2: PartBelowOne = 0.95  # decay of the running mean of squared gradients
    eps: Positive = 1e-8  # added to the root of the mean square
    weight_decay: Amount = 0.0  # decoupled
    bf16_moments: bool | None = None  # true: moments of a bf16 table in bf16 too, as golf and nanochat; null: float32

    def start(self, parameters: Sequence[nn.Parameter]) -> RuleState:
        import torch

        return {
            "mean": [torch.zeros_like(p, dtype=self._dtype_of_moments(p)) for p in parameters],
            "square": [torch.zeros_like(p, dtype=self._dtype_of_moments(p)) for p in parameters],
            "steps": [torch.zeros((), dtype=torch.float32, device=p.device) for p in parameters],
        }

    def update(self, parameters: Sequence[nn.Parameter], state: RuleState, lr: float, step: int) -> None:
        rows = list(zip(parameters, gradients(parameters), state["mean"], state["square"], state["steps"], strict=True))
        self._fused([row for row in rows if row[0].dtype == row[2].dtype], lr)
        for parameter, gradient, mean, square, steps in (row for row in rows if row[0].dtype != row[2].dtype):
            exact = parameter.to(mean.dtype)  # the kernel takes one type; one table at a time, to save memory
            self._fused([(exact, gradient.to(mean.dtype), mean, square, steps)], lr)
            parameter.copy_(exact)

    def _dtype_of_moments(self, parameter: Tensor) -> Any:
        return parameter.dtype if self.bf16_moments else dtype_of_moments(parameter)

    def _fused(self, rows: Sequence[tuple[Tensor, Tensor, Tensor, Tensor, Tensor]], lr: float) -> None:
        """Update by the fused kernel; a row is a parameter, its gradient, its moments and its count of steps."""
        from torch.optim.adam import adam

        if not rows:
            return
        parameters, grads, means, squares, steps = (list(column) for column in zip(*rows, strict=True))
        adam(
            parameters,
            grads,
            means,
            squares,
            [],
            steps,
            fused=True,
            amsgrad=False,
            maximize=False,
            decoupled_weight_decay=True,
            beta1=self.beta1,
            beta2=self.beta2,
            lr=lr,
            weight_decay=self.weight_decay,
            eps=self.eps,
        )
