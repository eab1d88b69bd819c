"""Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434): keys and values come from one small latent.

What it is for is a small cache. Tried in nanochat's private runs, it lost CORE at d22. It takes no QK-norm, which is
why Kimi K2 clips its logits (``hooks/qk_logit_clip.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainable.models.causal_attention import MeasurableAttention, shrink_rows
from trainable.models.gradients import norm, rotate
from trainable.models.query_key_value import QueryKeyValue, Rotation, uniform_linear
from trainable.ranges import Width


@dataclass(frozen=True, kw_only=True)
class LatentHeads(QueryKeyValue):
    """c = norm(W_c x); per head k = [W_k c, rope(W_r x)] and v = W_v c; q = [W_q x, rope(W_qr x)]. No QK-norm.

    The rotary key is shared by all heads. A query has head_dim channels, ``rope_dim`` of them rotary.
    """

    latent_dim: Width = 512  # of c
    rope_dim: Width = 64  # channels of a head that are turned

    def validate(self) -> None:
        self.check(self.rope_dim >= 2 and self.rope_dim % 2 == 0, "rope_dim", "even and at least 2 (RoPE turns pairs)")

    def num_kv_heads(self, num_heads: int) -> int:
        return num_heads

    def build(self, dim: int, num_heads: int, head_dim: int) -> MeasurableAttention:
        divides = self.rope_dim < head_dim and head_dim % self.rope_dim == 0
        self.check(divides, "rope_dim", f"a proper divisor of head_dim = {head_dim}")
        return LatentProjections(self, dim, num_heads, head_dim)

    def num_matrix_weights(self, dim: int, num_heads: int, head_dim: int) -> int:
        down = dim * (num_heads * head_dim + self.rope_dim + self.latent_dim)
        return down + self.latent_dim * num_heads * (2 * head_dim - self.rope_dim)


class LatentProjections(MeasurableAttention):
    """The module of :class:`LatentHeads`; ``k`` makes the keys' content."""

    def __init__(self, config: LatentHeads, dim: int, num_heads: int, head_dim: int) -> None:
        super().__init__()
        content = head_dim - config.rope_dim
        self.num_heads, self.stride = num_heads, head_dim // config.rope_dim
        self.latent = uniform_linear(dim, config.latent_dim)
        self.q = uniform_linear(dim, num_heads * content)
        self.q_rope = uniform_linear(dim, num_heads * config.rope_dim)
        self.k = uniform_linear(config.latent_dim, num_heads * content)
        self.k_rope = uniform_linear(dim, config.rope_dim)
        self.v = uniform_linear(config.latent_dim, num_heads * head_dim)

    def forward(self, x: Tensor, rotation: Rotation) -> tuple[Tensor, Tensor, Tensor]:
        c = norm(self.latent(x))  # (batch, time, latent)
        turn = [table[..., :: self.stride] for table in rotation]  # the table that ``rope_dim`` channels would have
        k_rope = rotate(self.k_rope(x)[:, :, None, :], *turn).expand(-1, -1, self.num_heads, -1)
        q_rope = rotate(self.heads(self.q_rope, x), *turn)
        q = torch.cat([self.heads(self.q, x), q_rope], dim=-1)
        k = torch.cat([self.heads(self.k, c), k_rope], dim=-1)
        return q, k, self.heads(self.v, c)

    def heads(self, linear: nn.Linear, x: Tensor) -> Tensor:
        batch, time, _ = x.shape
        found: Tensor = linear(x).view(batch, time, self.num_heads, -1)
        return found

    @torch.no_grad()
    def shrink_logits(self, factors: Tensor, balance: float) -> None:
        shrink_rows(self.q, factors**balance)
        shrink_rows(self.k, factors ** (1 - balance))
        shrink_rows(self.q_rope, factors)  # the rotary key is everyone's
