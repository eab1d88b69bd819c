"""Head diversity: attention heads are to write in different directions. Parameter golf's N3 and thirty rows after it.

In its script it never ran: it looks for a module of another name. What it meant, on the first block alone, were groups
of rows of the output projection; the columns are what belongs to a head, and every block is looked at here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainable.losses.loss_term import LossTerm, Outputs

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class HeadDiversity(LossTerm):
    """mean over blocks and over all pairs of heads i, j of (cos(W_i, W_j) - [i = j])^2; usual weights 1e-6..1e-1.

    W_i are head i's columns of the attention's output projection, as one vector. A projection of zeros, as every block
    has at the start, counts 0 and gets no gradient.
    """

    def __call__(self, outputs: Outputs) -> Tensor:
        import torch

        projections = outputs.network.attention_outputs()
        if not projections:
            raise ValueError("losses.HeadDiversity needs attention with an output projection, which this model lacks")
        with torch.autocast(outputs.logits.device.type, enabled=False):
            return torch.stack([similarity(weight.float(), heads) for weight, heads in projections]).mean()


def similarity(weight: Tensor, num_heads: int) -> Tensor:
    """mean over pairs of heads of cos^2, a head with itself counting 0; weight is (dim, heads * head_dim)."""
    import torch.nn.functional as F

    columns = weight.view(len(weight), num_heads, -1).transpose(0, 1).flatten(1)  # (heads, dim * head_dim)
    directions = F.normalize(columns, dim=1, eps=1e-8)
    cosines = directions @ directions.mT
    return cosines.triu(diagonal=1).square().sum() * 2 / num_heads**2
