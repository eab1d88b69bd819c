"""An activation between linear layers without biases, the output projection zero at the start."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainable.models.mlp import MLP
from trainable.networks.scalar import Scalar


class Feedforward(nn.Module):
    """proj(activate(fc(x)))."""

    def __init__(self, part: MLP, dim: int, hidden: int) -> None:
        super().__init__()
        self.activate = part.activation()
        self.fc = nn.Linear(dim, hidden, bias=False)
        self.proj = nn.Linear(hidden, dim, bias=False)
        nn.init.zeros_(self.proj.weight)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.proj(self.activate(self.fc(x)))
        return out


class GatedFeedforward(nn.Module):
    """proj(activate([gate(x), up(x)])); two matrices, since Muon treats each on its own."""

    def __init__(self, part: MLP, dim: int, hidden: int) -> None:
        super().__init__()
        self.activate = part.activation()
        self.gate = nn.Linear(dim, hidden, bias=False)
        self.up = nn.Linear(dim, hidden, bias=False)
        self.proj = nn.Linear(hidden, dim, bias=False)
        nn.init.zeros_(self.proj.weight)

    def forward(self, x: Tensor) -> Tensor:
        both = F.linear(x, weight_of(self.gate, self.up))
        out: Tensor = self.proj(self.activate(both))
        return out


class SquaredLeakyRelu(nn.Module):
    """leaky_relu(x, slope)^2."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = Scalar(slope)

    def forward(self, x: Tensor) -> Tensor:
        slope = self.slope()
        leaky = torch.where(x > 0, x, x * slope) if isinstance(slope, Tensor) else F.leaky_relu(x, slope)
        return leaky.square()


def weight_of(*layers: nn.Linear) -> Tensor:
    """The weights of several layers with one input, stacked, so that one matrix product serves them all."""
    return torch.cat([layer.weight for layer in layers])
