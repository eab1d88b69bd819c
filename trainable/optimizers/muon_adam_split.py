"""The speedrun's split: Muon for the matrices, one AdamW for everything else, with decay on all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainable.optimizers.adam import Adam
from trainable.optimizers.newton_schulz import NewtonSchulz
from trainable.optimizers.normuon import NorMuon
from trainable.optimizers.orthogonaliser import Orthogonaliser
from trainable.optimizers.roles import roles
from trainable.optimizers.update_rule import Group, Optimizer
from trainable.ranges import Amount, PartBelowOne, Positive, Rate

if TYPE_CHECKING:
    from trainable.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class MuonAdamSplit(Optimizer):
    """Two rates for two groups. As published an untied head is a matrix and goes to Muon: ``muon_head``.

    AdamW has torch's betas and a weight decay of 0.2; Muon has none, Nesterov, and the sqrt(max(1, rows/cols)) scale.
    """

    matrix_lr: Rate = 0.015  # Muon, the matrices of the blocks
    adamw_lr: Rate = 0.001  # AdamW, everything else
    muon_momentum: PartBelowOne = 0.95  # constant
    muon_orth: Orthogonaliser = NewtonSchulz()  # how Muon orthogonalises
    muon_head: bool = False  # the untied output matrix with the matrices
    adam_beta1: PartBelowOne = 0.9  # decay of the running mean of gradients
    adam_beta2: PartBelowOne = 0.999  # decay of the running mean of squared gradients
    adam_eps: Positive = 1e-8  # added to the root of the mean square
    adam_wd: Amount = 0.2  # decoupled

    def muon(self) -> NorMuon:
        return NorMuon(orthogonal=self.muon_orth, momentum=self.muon_momentum, momentum_warmup_steps=0, beta2=None)

    def adam(self) -> Adam:
        return Adam(beta1=self.adam_beta1, beta2=self.adam_beta2, eps=self.adam_eps, weight_decay=self.adam_wd)

    def groups(self, network: Network) -> list[Group]:
        found = roles(network)
        found["matrix" if self.muon_head else "scalar"] += found["head"]
        matrices, rest = found["matrix"], found["embedding"] + found["scalar"]
        return [
            Group("matrix", tuple(matrices), self.muon(), self.matrix_lr),
            Group("rest", tuple(rest), self.adam(), self.adamw_lr),
        ]
