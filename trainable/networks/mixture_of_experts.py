"""A router and its experts: the module of ``models/mixture_of_experts.py``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainable.models.mixture_of_experts import Experts
from trainable.networks.scalar import Scalar


class Mixture(nn.Module):
    """The experts with their router.

    In training their balance () comes with what they put out, in its graph: num_experts * sum of share * mean
    probability, 1 if all experts are used alike. A loss term may want it; it is returned, not left behind, since a
    block whose activations are checkpointed runs twice.
    """

    def __init__(self, config: Experts, dim: int, experts: list[nn.Module]) -> None:
        super().__init__()
        self.top_k, self.noise = config.top_k, Scalar(config.router_noise)
        self.router = nn.Linear(dim, config.num_experts, bias=False)
        self.experts = nn.ModuleList(experts)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        logits = self.router(x).float()  # (batch, time, experts)
        if self.training:
            logits = logits + self.noise() * torch.randn_like(logits)
        best, chosen = logits.topk(self.top_k, dim=-1)  # (batch, time, top_k)
        weights = torch.zeros_like(logits).scatter(-1, chosen, best.softmax(-1)).to(x.dtype)
        balance = None
        if self.training:
            share = torch.zeros_like(logits).scatter(-1, chosen, 1.0).mean((0, 1)) / self.top_k  # of the assignments
            balance = len(self.experts) * (share * logits.softmax(-1).mean((0, 1))).sum()
        outputs = [weights[..., i, None] * expert(x) for i, expert in enumerate(self.experts)]
        return torch.stack(outputs).sum(0), balance
