"""A mixture of experts in the MLP's place (arXiv 1701.06538, 2101.03961), as in the speedrun's MoE configurations.

Every expert sees every token and all but the chosen are weighted by zero: the same numbers as sending tokens to their
experts, in one graph of fixed shapes, at num_experts / top_k times the arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

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
