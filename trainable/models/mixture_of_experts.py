"""A mixture of experts in the MLP's place (arXiv 1701.06538, 2101.03961), as in the speedrun's MoE configurations.

Every expert sees every token and all but the chosen are weighted by zero: the same numbers as sending tokens to their
experts, in one graph of fixed shapes, at num_experts / top_k times the arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from trainable.component import Component
from trainable.models.mlp import MLP
from trainable.ranges import Amount, Heads, NumExperts


@dataclass(frozen=True, kw_only=True)
class Experts(Component):
    """sum over the top_k experts of softmax(their router logits) * expert(x); each expert is an MLP of its own.

    In training ``router_noise`` times a standard normal is added to the router's logits. ``losses.LoadBalancing`` keeps
    the experts in use.
    """

    kind: ClassVar[str] = "Experts"

    num_experts: NumExperts = 8
    top_k: Heads = 2
    router_noise: Amount = 0.1

    def validate(self) -> None:
        self.check(1 <= self.top_k <= self.num_experts, "top_k", f"in 1..num_experts = {self.num_experts}")

    def num_matrix_weights(self, mlp: MLP, dim: int, mult: float) -> int:
        """Weights that take part in matrix products: all, for all experts are computed."""
        return self.num_experts * (mlp.num_matrix_weights(dim, mult) + dim)


class Mixture(nn.Module):
    """The experts with their router. In training ``balance`` is left behind for the loss term, in its graph."""

    balance: Tensor  # (): num_experts * sum of share * mean probability; 1 if all experts are used alike

    def __init__(self, config: Experts, dim: int, experts: list[nn.Module]) -> None:
        super().__init__()
        self.top_k, self.noise = config.top_k, config.router_noise
        self.router = nn.Linear(dim, config.num_experts, bias=False)
        self.experts = nn.ModuleList(experts)

    def forward(self, x: Tensor) -> Tensor:
        logits = self.router(x).float()  # (batch, time, experts)
        if self.training:
            logits = logits + self.noise * torch.randn_like(logits)
        best, chosen = logits.topk(self.top_k, dim=-1)  # (batch, time, top_k)
        weights = torch.zeros_like(logits).scatter(-1, chosen, best.softmax(-1)).to(x.dtype)
        if self.training:
            share = torch.zeros_like(logits).scatter(-1, chosen, 1.0).mean((0, 1)) / self.top_k  # of the assignments
            self.balance = len(self.experts) * (share * logits.softmax(-1).mean((0, 1))).sum()
        return torch.stack([weights[..., i, None] * expert(x) for i, expert in enumerate(self.experts)]).sum(0)
