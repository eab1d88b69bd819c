"""Newton-Schulz in its two forms: Muon's quintic, and the cubic of the nGPT campaign's own Muon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainable.optimizers.muon import orthogonalise
from trainable.optimizers.orthogonaliser import Orthogonaliser, divided_by_norm
from trainable.ranges import Factor, Iterations

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class NewtonSchulz(Orthogonaliser):
    """The quintic (3.4445, -4.7750, 2.0315) of the reference: singular values between 0.7 and 1.2, and fast."""

    steps: Iterations = 5  # iterations

    def __call__(self, matrices: Tensor) -> Tensor:
        return orthogonalise(matrices, self.steps)


@dataclass(frozen=True, kw_only=True)
class CubicNewtonSchulz(Orthogonaliser):
    """x <- 1.5 x - 0.5 x x^T x: exact in the limit, and far from it after five steps (singular values 0.2 to 0.6).

    Matrices are first divided by ``safety`` times their Frobenius norm.
    """

    steps: Iterations = 5  # iterations
    safety: Factor = 1.1

    def __call__(self, matrices: Tensor) -> Tensor:
        import torch

        x = divided_by_norm(matrices, self.safety)
        for _ in range(self.steps):
            x = torch.baddbmm(x, torch.bmm(x, x.mT), x, beta=1.5, alpha=-0.5)
        return x
