"""The module of XSA: removes from a head's output what its own token's value says."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class Exclusive(nn.Module):
    def forward(self, y: Tensor, v: Tensor, x: Tensor) -> Tensor:
        batch, time, kv_heads, head_dim = v.shape
        groups = y.reshape(batch, time, kv_heads, -1, head_dim)
        own = F.normalize(v, dim=-1)[:, :, :, None].to(y.dtype)
        return (groups - (groups * own).sum(-1, keepdim=True) * own).reshape(y.shape)
