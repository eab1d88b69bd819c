"""Adam and AdamW (arXiv 1412.6980, 1711.05101): torch's fused kernel over state that the loop owns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainable.optimizers.update_rule import RuleState, UpdateRule, gradients
from trainable.ranges import Amount, PartBelowOne, Positive

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Adam(UpdateRule):
    """p -= lr * m_hat / (sqrt(v_hat) + eps), after p *= 1 - lr * weight_decay (decoupled)."""

    driven: ClassVar[tuple[str, ...]] = ("beta1",)

    beta1: PartBelowOne = 0.9  # decay of the running mean of gradients
    beta2: PartBelowOne = 0.95  # decay of the running mean of squared gradients
    eps: Positive = 1e-8  # added to the root of the mean square
    weight_decay: Amount = 0.0  # decoupled

    def start(self, parameters: Sequence[nn.Parameter]) -> RuleState:
        import torch

        return {
            "mean": [torch.zeros_like(p) for p in parameters],
            "square": [torch.zeros_like(p) for p in parameters],
            "steps": [torch.zeros((), dtype=torch.float32, device=p.device) for p in parameters],
        }

    def update(self, parameters: Sequence[nn.Parameter], state: RuleState, lr: float, step: int) -> None:
        from torch.optim.adam import adam

        adam(
            list(parameters),
            gradients(parameters),
            state["mean"],
            state["square"],
            [],
            state["steps"],
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
