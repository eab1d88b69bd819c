"""Keys and values from one small latent: the module of ``models/latent_attention.py``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainable.models.latent_attention import LatentHeads
from trainable.networks.causal_attention import MeasurableAttention, parameters_of, shrink_rows
from trainable.networks.gradients import norm, rotate
from trainable.networks.query_key_value import Rotation, uniform_linear


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
        shrink_rows(parameters_of(self.q), factors**balance)
        shrink_rows(parameters_of(self.k), factors ** (1 - balance))
        shrink_rows(parameters_of(self.q_rope), factors)  # the rotary key is everyone's
