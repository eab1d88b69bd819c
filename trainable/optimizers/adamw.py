"""AdamW (arXiv 1711.05101) for everything: one rate for the matrices of the blocks, a ratio of it for the rest.

nGPT's campaign gives the rest 0.3 of the rate and decays all; mainrun has one rate and decays, if asked, only what has
two or more dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from terminal.nearest import rule_of_names

from trainable.optimizers.adam import Adam
from trainable.optimizers.roles import roles
from trainable.optimizers.update_rule import Group, Optimizer
from trainable.ranges import Amount, PartBelowOne, Positive, Rate

if TYPE_CHECKING:
    from torch import nn

    from trainable.networks.network import Network

EXCLUDED = ("none", "1d_and_norm")


@dataclass(frozen=True, kw_only=True)
class AdamW(Optimizer):
    """The defaults are torch's. The matrices are the weights of linear layers inside blocks."""

    switched_by: ClassVar[Mapping[str, str]] = {"wd_exclude": "weight_decay"}

    lr: Rate = 1e-3  # of the matrices, for a multiplier of 1
    other_lr_ratio: Amount = 1.0  # tables, head, gains and scales get lr times this; 0.3 in nGPT's campaign
    beta1: PartBelowOne = 0.9  # decay of the running mean of gradients
    beta2: PartBelowOne = 0.999  # decay of the running mean of squared gradients
    eps: Positive = 1e-8  # added to the root of the mean square
    weight_decay: Amount = 0.01  # decoupled
    wd_exclude: str = "none"  # decays everything; 1d_and_norm leaves out biases, gains and other vectors and numbers

    def validate(self) -> None:
        known = rule_of_names(self.wd_exclude, EXCLUDED)
        self.check(self.wd_exclude in EXCLUDED, "wd_exclude", known)

    def rule(self, weight_decay: float) -> Adam:
        return Adam(beta1=self.beta1, beta2=self.beta2, eps=self.eps, weight_decay=weight_decay)

    def groups(self, network: Network) -> list[Group]:
        found = roles(network)
        matrices = found.pop("matrix")
        others = [parameter for role in found.values() for parameter in role]
        groups = self._decayed_and_not("matrix", matrices, self.lr)
        groups += self._decayed_and_not("other", others, self.lr * self.other_lr_ratio)
        return [group for group in groups if group.parameters]

    def _decayed_and_not(self, name: str, parameters: list[nn.Parameter], lr: float) -> list[Group]:
        least = 2 if self.wd_exclude == "1d_and_norm" else 0  # dimensions: all gains and biases of norms are vectors
        decayed = tuple(p for p in parameters if p.ndim >= least)
        spared = tuple(p for p in parameters if p.ndim < least)
        return [
            Group(name, decayed, self.rule(self.weight_decay), lr),
            Group(f"{name}, no decay", spared, self.rule(0.0), lr),
        ]
