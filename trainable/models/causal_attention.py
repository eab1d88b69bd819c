"""The attention kernel as a module: what hooks may wrap to see the logits, and what a sliding window swaps.

Queries, keys and values are (batch, time, heads, head_dim); keys and values may have fewer heads.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CausalAttention(nn.Module):
    """softmax(q k^T / sqrt(head_dim)) v over a token and all before it; attention weights are dropped in training."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        dropout = self.dropout if self.training else 0.0
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))  # (batch, heads, time, head_dim)
        grouped = k.size(1) != q.size(1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=dropout, enable_gqa=grouped)
        return y.transpose(1, 2)

    def seen(self, time: int, device: torch.device) -> Tensor:
        """Which keys (columns) each query (row) attends to: bool (time, time)."""
        return torch.ones(time, time, dtype=torch.bool, device=device).tril()


class WindowedAttention(CausalAttention):
    """As above over a token and the ``window`` before it."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self.window = window

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))
        mask, grouped = self.seen(q.size(2), q.device), k.size(1) != q.size(1)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=grouped).transpose(1, 2)

    def seen(self, time: int, device: torch.device) -> Tensor:
        place = torch.arange(time, device=device)
        back = place[:, None] - place
        return (back >= 0) & (back <= self.window)
