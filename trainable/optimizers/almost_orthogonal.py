"""Turbo-Muon's start (arXiv 2512.04632): rows scaled until almost orthogonal, then one Newton-Schulz step less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainable.optimizers.muon import NEWTON_SCHULZ
from trainable.optimizers.orthogonaliser import Orthogonaliser, iterate
from trainable.ranges import Iterations

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class AlmostOrthogonal(Orthogonaliser):
    """X = diag(s) U with s_i = (sum_j |U U^T|_ij)^(-1/2) in place of the Frobenius norm, then ``steps`` quintic steps.

    On the short side, of which the first Newton-Schulz step needs the Gram matrix anyway. The paper also re-tunes the
    polynomial; here it is Muon's.
    """

    steps: Iterations = 4

    def __call__(self, matrices: Tensor) -> Tensor:
        import torch

        rows = torch.bmm(matrices, matrices.mT).abs().sum(-1, keepdim=True)
        return iterate(matrices * (rows + 1e-12).rsqrt(), [NEWTON_SCHULZ] * self.steps)
