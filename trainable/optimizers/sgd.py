"""Stochastic gradient descent at one rate for everything: mainrun's baseline, which hardly learns with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.optimizers.gradient_descent import GradientDescent
from trainable.optimizers.update_rule import Group, Optimizer
from trainable.ranges import Amount, PartBelowOne, Rate

if TYPE_CHECKING:
    from trainable.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """One group. Of transformers it trains only those with rates 100 times the baseline's."""

    lr: Rate = 6e-3  # for a multiplier of 1
    momentum: PartBelowOne = 0.0  # of the heavy ball; 0: none
    nesterov: bool = False  # looks ahead by one step of the momentum
    weight_decay: Amount = 0.0  # added to the gradient

    def rule(self) -> GradientDescent:
        return GradientDescent(momentum=self.momentum, nesterov=self.nesterov, weight_decay=self.weight_decay)

    def groups(self, network: Network) -> list[Group]:
        return [Group("all", tuple(network.parameters()), self.rule(), self.lr)]

    @classmethod
    def example(cls) -> Self:
        return cls(lr=0.5, momentum=0.9)
