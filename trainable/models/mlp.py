"""MLP parts: dim -> hidden -> dim without biases, the output projection zero at the start.

Most square their activation. Formulas and defaults: parameter-golf phase 11 (runs A1-A18).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainable.component import Component
from trainable.ranges import Part


@dataclass(frozen=True, kw_only=True)
class MLP(Component):
    """An activation, and the module that holds it."""

    kind: ClassVar[str] = "mlp"
    abstract: ClassVar[bool] = True

    @abstractmethod
    def activate(self, x: Tensor) -> Tensor:
        """Element-wise: hidden pre-activations to activations, same shape."""

    def build(self, dim: int, mult: float) -> nn.Module:
        """Maps (batch, time, dim) to the same shape through ``int(mult * dim)`` hidden channels."""
        return Feedforward(self, dim, int(mult * dim))

    def num_matrix_weights(self, dim: int, mult: float) -> int:
        """Weights that take part in matrix products."""
        return 2 * dim * int(mult * dim)


@dataclass(frozen=True, kw_only=True)
class Relu2(MLP):
    """relu(x)^2 (Primer, arXiv 2109.08668); the baseline of parameter golf and modded-nanogpt."""

    def activate(self, x: Tensor) -> Tensor:
        return F.relu(x).square()


@dataclass(frozen=True, kw_only=True)
class LeakyRelu2(MLP):
    """leaky_relu(x, slope)^2; note that the square makes negative inputs positive again."""

    slope: Part = 0.01  # the campaign's value; later records use 0.5

    def activate(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self.slope).square()


@dataclass(frozen=True, kw_only=True)
class Gelu2(MLP):
    """gelu(x)^2."""

    def activate(self, x: Tensor) -> Tensor:
        return F.gelu(x).square()


@dataclass(frozen=True, kw_only=True)
class Silu2(MLP):
    """silu(x)^2; in parameter golf's best stack (B4)."""

    def activate(self, x: Tensor) -> Tensor:
        return F.silu(x).square()


@dataclass(frozen=True, kw_only=True)
class Gelu(MLP):
    """Plain gelu(x), as in GPT-2."""

    def activate(self, x: Tensor) -> Tensor:
        return F.gelu(x)


@dataclass(frozen=True, kw_only=True)
class Silu(MLP):
    """Plain silu(x): the experts of the speedrun's MoE."""

    def activate(self, x: Tensor) -> Tensor:
        return F.silu(x)


@dataclass(frozen=True, kw_only=True)
class SwiGLU(MLP):
    """silu(gate(x)) * up(x) (arXiv 2002.05202) with ``int(2/3 * mult * dim)`` channels, so that weights stay equal."""

    def activate(self, x: Tensor) -> Tensor:
        gate, up = x.chunk(2, dim=-1)
        return F.silu(gate) * up

    def build(self, dim: int, mult: float) -> nn.Module:
        return GatedFeedforward(self, dim, int(2 / 3 * mult * dim))

    def num_matrix_weights(self, dim: int, mult: float) -> int:
        return 3 * dim * int(2 / 3 * mult * dim)


class Feedforward(nn.Module):
    """proj(activate(fc(x)))."""

    def __init__(self, part: MLP, dim: int, hidden: int) -> None:
        super().__init__()
        self.activate = part.activate
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
        self.activate = part.activate
        self.gate = nn.Linear(dim, hidden, bias=False)
        self.up = nn.Linear(dim, hidden, bias=False)
        self.proj = nn.Linear(hidden, dim, bias=False)
        nn.init.zeros_(self.proj.weight)

    def forward(self, x: Tensor) -> Tensor:
        both = F.linear(x, weight_of(self.gate, self.up))
        out: Tensor = self.proj(self.activate(both))
        return out


def weight_of(*layers: nn.Linear) -> Tensor:
    """The weights of several layers with one input, stacked, so that one matrix product serves them all."""
    return torch.cat([layer.weight for layer in layers])
