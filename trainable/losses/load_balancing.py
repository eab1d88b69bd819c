"""Load balancing of a mixture of experts (Switch, arXiv 2101.03961); the speedrun's MoE has weight 0.01."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from trainable.losses.loss_term import LossTerm, Outputs
from trainable.models.blueberry import Blueberry
from trainable.models.mixture_of_experts import Experts

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class LoadBalancing(LossTerm):
    """Mean over layers of E * sum over experts of (share of the assignments) * (mean router probability).

    1 where every expert is used alike, up to E where one gets all; gradients come through the probabilities.
    """

    needs: ClassVar[Mapping[str, Any]] = {
        "model": Blueberry(num_layers=2, model_dim=32, mlp_mult=2.0, experts=Experts(num_experts=4)),
    }

    def __call__(self, outputs: Outputs) -> Tensor:
        import torch

        from trainable.networks.mixture_of_experts import Mixture

        found = [m.balance for m in outputs.network.modules() if isinstance(m, Mixture)]
        if not found:
            raise ValueError("losses.LoadBalancing needs experts: set model=Blueberry and model.experts.num_experts")
        return torch.stack(found).mean()
