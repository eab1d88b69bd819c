"""Muon for the matrices, Adam for the rest: the four groups of the parameter-golf baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainable.optimizers.adam import Adam
from trainable.optimizers.muon import Muon
from trainable.optimizers.roles import roles
from trainable.optimizers.update_rule import Group, Optimizer
from trainable.ranges import Amount, Iterations, PartBelowOne, Positive, Rate, Steps

if TYPE_CHECKING:
    from trainable.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class MuonAdam(Optimizer):
    """Base rates are for a multiplier of 1. Which embedding rates are live depends on ``model.tie_embeddings``."""

    matrix_lr: Rate = 0.04  # Muon, in units of the update's spectral norm
    scalar_lr: Rate = 0.04  # Adam, gains, scales, mixes and skip weights
    tied_embed_lr: Rate = 0.05  # Adam, the shared table; live only if tied
    embed_lr: Rate = 0.6  # Adam, the input table; live only if untied
    head_lr: Rate = 0.008  # Adam, the output matrix; live only if untied
    muon_momentum: PartBelowOne = 0.95  # at its full value
    muon_momentum_start: PartBelowOne = 0.85  # at the first update; rises in a line
    muon_momentum_warmup_steps: Steps = 500  # updates until the momentum is full; a 240-step run gets about half way
    muon_ns_steps: Iterations = 5  # Newton-Schulz iterations
    muon_wd: Amount = 0.0  # decoupled
    adam_beta1: PartBelowOne = 0.9  # decay of the running mean of gradients
    adam_beta2: PartBelowOne = 0.95  # decay of the running mean of squared gradients
    adam_eps: Positive = 1e-8  # added to the root of the mean square
    adam_wd: Amount = 0.0  # decoupled

    def muon(self) -> Muon:
        return Muon(
            momentum=self.muon_momentum,
            momentum_start=self.muon_momentum_start,
            momentum_warmup_steps=self.muon_momentum_warmup_steps,
            ns_steps=self.muon_ns_steps,
            weight_decay=self.muon_wd,
        )

    def adam(self) -> Adam:
        return Adam(
            beta1=self.adam_beta1,
            beta2=self.adam_beta2,
            eps=self.adam_eps,
            weight_decay=self.adam_wd,
            bf16_moments=True,
        )

    def groups(self, network: Network) -> list[Group]:
        found, adam = roles(network), self.adam()
        embedding_lr = self.tied_embed_lr if network.head is None else self.embed_lr
        all_groups = [
            Group("embedding", tuple(found["embedding"]), adam, embedding_lr),
            Group("head", tuple(found["head"]), adam, self.head_lr),
            Group("matrix", tuple(found["matrix"]), self.muon(), self.matrix_lr),
            Group("scalar", tuple(found["scalar"]), adam, self.scalar_lr),
        ]
        return [g for g in all_groups if g.parameters]
