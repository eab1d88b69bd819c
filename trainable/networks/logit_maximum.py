"""An attention kernel that keeps its largest logits, for a QK-clip."""

from __future__ import annotations

import torch
from torch import Tensor

from trainable.networks.causal_attention import CausalAttention, MeasurableAttention
from trainable.networks.network import Network


def wrapped_attention(network: Network) -> list[tuple[MeasurableAttention, LogitMaximum]]:
    """Attention modules whose kernel is wrapped, each with its wrapper."""
    found = []
    for module in network.modules():
        kernel = getattr(module, "attend", None)
        if isinstance(module, MeasurableAttention) and isinstance(kernel, LogitMaximum):
            found.append((module, kernel))
    return found


class LogitMaximum(CausalAttention):
    """A kernel that in training also keeps the largest logit of each head since it was last set to 0."""

    largest: Tensor  # (heads,)

    def __init__(self, kernel: CausalAttention, num_heads: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.register_buffer("largest", torch.zeros(num_heads), persistent=False)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if self.training:
            with torch.no_grad():
                self.largest.copy_(torch.maximum(self.largest, self.found(q, k)))
        out: Tensor = self.kernel(q, k, v)
        return out

    def found(self, q: Tensor, k: Tensor) -> Tensor:
        """Largest logit of each query head over batch and the pairs that the kernel attends to."""
        k = k.repeat_interleave(q.size(2) // k.size(2), dim=2)
        logits = torch.einsum("bqhd,bkhd->hbqk", q, k).float() / q.size(-1) ** 0.5
        seen: Tensor = self.kernel.seen(q.size(1), q.device)
        largest: Tensor = logits.masked_fill(~seen, -torch.inf).amax((1, 2, 3))
        return largest
