"""Something between an MLP's input layers and its activation: a scale, or the biases that our MLP parts do not have."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from trainable.networks.mlp import Feedforward, GatedFeedforward


class Then(nn.Module):
    """activate(before(x))."""

    def __init__(self, before: nn.Module, activate: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.before, self.activate = before, activate

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(self.before(x))


class Bias(nn.Module):
    """x + b with a learned b that starts at 0."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias.to(x.dtype)


def put_before_activation(mlp: nn.Module, build: Callable[[int], nn.Module]) -> None:
    """Put a module before the activation of an MLP that a part has built, for its channels (of a gated one, all)."""
    assert isinstance(mlp, Feedforward | GatedFeedforward)
    inputs = [layer for layer in mlp.children() if isinstance(layer, nn.Linear) and layer is not mlp.proj]
    mlp.activate = Then(build(sum(layer.out_features for layer in inputs)), mlp.activate)


def add_biases(mlp: nn.Module) -> None:
    """A bias for every layer of what an MLP part has built."""
    assert isinstance(mlp, Feedforward | GatedFeedforward)
    put_before_activation(mlp, Bias)
    mlp.proj.bias = nn.Parameter(torch.zeros(mlp.proj.out_features))
