"""A second target from the same logits. In parameter golf's script (MULTI_TOKEN), never run in its log.

Without a head of its own (as in arXiv 2404.19737) it can only flatten predictions towards the token after next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainable.losses.loss_term import LossTerm, Outputs

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class MultiToken(LossTerm):
    """Cross-entropy to the token after next; a row's last position, which has none, keeps its target. Weights 0..1."""

    def __call__(self, outputs: Outputs) -> Tensor:
        import torch
        import torch.nn.functional as F

        after_next = torch.cat([outputs.targets[:, 1:], outputs.targets[:, -1:]], dim=1)
        return F.cross_entropy(outputs.logits.flatten(0, 1), after_next.flatten())
