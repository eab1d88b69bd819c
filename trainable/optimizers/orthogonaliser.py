"""Orthogonalisers of Muon's variants, in Newton-Schulz's place: maps of a stack of matrices to their polar factors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainable.component import Component

if TYPE_CHECKING:
    from torch import Tensor

Coefficients = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Orthogonaliser(Component):
    """U S V^T -> about U V^T."""

    kind: ClassVar[str] = "orthogonaliser"
    abstract: ClassVar[bool] = True

    @abstractmethod
    def __call__(self, matrices: Tensor) -> Tensor:
        """A stack (n, rows, columns) with rows <= columns; it iterates in the precision that it is given."""


def divided_by_norm(matrices: Tensor, safety: float, eps: float = 1e-7) -> Tensor:
    """Each matrix over its Frobenius norm times ``safety``, so that no singular value exceeds 1."""
    import torch

    divided: Tensor = matrices / (torch.linalg.matrix_norm(matrices, keepdim=True) * safety + eps)
    return divided


def iterate(x: Tensor, steps: Iterable[Coefficients]) -> Tensor:
    """x <- a x + b (x x^T) x + c (x x^T)^2 x for each (a, b, c)."""
    import torch

    for a, b, c in steps:
        gram = torch.bmm(x, x.mT)  # (n, rows, rows)
        gram = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, gram, x, beta=a)
    return x
