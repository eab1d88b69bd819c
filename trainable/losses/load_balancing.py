"""Load balancing of a mixture of experts (Switch, arXiv 2101.03961); the speedrun's MoE has weight 0.01.

That code adds up what its layers have (5-dollar-llm at 60cc718, models/moe_llm.py): over 26 layers the term is 26 times
their mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from terminal.nearest import rule_of_names

from trainable.losses.loss_term import LossTerm, Outputs
from trainable.models.blueberry import Blueberry
from trainable.models.mixture_of_experts import Experts

if TYPE_CHECKING:
    from torch import Tensor

OVER_LAYERS = ("sum", "mean")


@dataclass(frozen=True, kw_only=True)
class LoadBalancing(LossTerm):
    """Sum over layers of E * sum over experts of (share of the assignments) * (mean router probability).

    Of a layer 1 where every expert is used alike, up to E where one gets all; gradients come through the probabilities.
    """

    needs: ClassVar[Mapping[str, Any]] = {
        "model": Blueberry(num_layers=2, model_dim=32, mlp_mult=2.0, experts=Experts(num_experts=4)),
    }

    over_layers: str = "sum"  # as the speedrun has it; or mean, which does not grow with the depth

    def validate(self) -> None:
        rule = rule_of_names(self.over_layers, OVER_LAYERS)
        self.check(self.over_layers in OVER_LAYERS, "over_layers", rule)

    def __call__(self, outputs: Outputs) -> Tensor:
        import torch

        found = [*outputs.network.balances]
        if not found:
            raise ValueError(
                "losses.LoadBalancing needs experts: --set model=Blueberry and --set model.experts.num_experts=NUMBER"
            )
        layers = torch.stack(found)
        return layers.sum() if self.over_layers == "sum" else layers.mean()
