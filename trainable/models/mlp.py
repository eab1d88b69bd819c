"""MLP parts: dim -> hidden -> dim without biases, the output projection zero at the start.

Most square their activation. Formulas and defaults: parameter-golf phase 11 (runs A1-A18).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainable.component import Component
from trainable.ranges import Part

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class MLP(Component):
    """An activation, and the module that holds it."""

    kind: ClassVar[str] = "mlp"
    abstract: ClassVar[bool] = True

    @abstractmethod
    def activate(self, x: Tensor) -> Tensor:
        """Element-wise: hidden pre-activations to activations, same shape."""

    def activation(self) -> Callable[[Tensor], Tensor]:
        """The function of ``activate``, as the network holds it: a module where the part has numbers of its own."""
        return self.activate

    def build(self, dim: int, mult: float) -> nn.Module:
        """Maps (batch, time, dim) to the same shape through ``int(mult * dim)`` hidden channels."""
        from trainable.networks.mlp import Feedforward

        return Feedforward(self, dim, int(mult * dim))

    def num_matrix_weights(self, dim: int, mult: float) -> int:
        """Weights that take part in matrix products."""
        return 2 * dim * int(mult * dim)


@dataclass(frozen=True, kw_only=True)
class Relu2(MLP):
    """relu(x)^2 (Primer, arXiv 2109.08668); the baseline of parameter golf and modded-nanogpt."""

    def activate(self, x: Tensor) -> Tensor:
        import torch.nn.functional as F

        return F.relu(x).square()


@dataclass(frozen=True, kw_only=True)
class LeakyRelu2(MLP):
    """leaky_relu(x, slope)^2; note that the square makes negative inputs positive again."""

    slope: Part = 0.01  # the campaign's value; later records use 0.5

    def activate(self, x: Tensor) -> Tensor:
        return self.activation()(x)

    def activation(self) -> Callable[[Tensor], Tensor]:
        from trainable.networks.mlp import SquaredLeakyRelu

        return SquaredLeakyRelu(self.slope)


@dataclass(frozen=True, kw_only=True)
class Gelu2(MLP):
    """gelu(x)^2."""

    def activate(self, x: Tensor) -> Tensor:
        import torch.nn.functional as F

        return F.gelu(x).square()


@dataclass(frozen=True, kw_only=True)
class Silu2(MLP):
    """silu(x)^2; in parameter golf's best stack (B4)."""

    def activate(self, x: Tensor) -> Tensor:
        import torch.nn.functional as F

        return F.silu(x).square()


@dataclass(frozen=True, kw_only=True)
class Gelu(MLP):
    """Plain gelu(x), as in GPT-2."""

    def activate(self, x: Tensor) -> Tensor:
        import torch.nn.functional as F

        return F.gelu(x)


@dataclass(frozen=True, kw_only=True)
class Silu(MLP):
    """Plain silu(x): the experts of the speedrun's MoE."""

    def activate(self, x: Tensor) -> Tensor:
        import torch.nn.functional as F

        return F.silu(x)


@dataclass(frozen=True, kw_only=True)
class SwiGLU(MLP):
    """silu(gate(x)) * up(x) (arXiv 2002.05202) with ``int(2/3 * mult * dim)`` channels, so that weights stay equal."""

    def activate(self, x: Tensor) -> Tensor:
        import torch.nn.functional as F

        gate, up = x.chunk(2, dim=-1)
        return F.silu(gate) * up

    def build(self, dim: int, mult: float) -> nn.Module:
        from trainable.networks.mlp import GatedFeedforward

        return GatedFeedforward(self, dim, int(2 / 3 * mult * dim))

    def num_matrix_weights(self, dim: int, mult: float) -> int:
        return 3 * dim * int(2 / 3 * mult * dim)
