"""Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434): keys and values come from one small latent.

What it is for is a small cache. Tried in nanochat's private runs, it lost CORE at d22. It takes no QK-norm, which is
why Kimi K2 clips its logits (``hooks/qk_logit_clip.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainable.models.query_key_value import QueryKeyValue
from trainable.ranges import Width

if TYPE_CHECKING:
    from trainable.networks.causal_attention import MeasurableAttention


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
        from trainable.networks.latent_attention import LatentProjections

        divides = self.rope_dim < head_dim and head_dim % self.rope_dim == 0
        self.check(divides, "rope_dim", f"a proper divisor of head_dim = {head_dim}")
        return LatentProjections(self, dim, num_heads, head_dim)

    def num_matrix_weights(self, dim: int, num_heads: int, head_dim: int) -> int:
        down = dim * (num_heads * head_dim + self.rope_dim + self.latent_dim)
        return down + self.latent_dim * num_heads * (2 * head_dim - self.rope_dim)
