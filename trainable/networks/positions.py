"""Position encodings: a learned table that is added to the stem, or a rotation of queries and keys (RoPE)."""

from __future__ import annotations

from torch import Tensor, nn

from trainable.networks.gpt import rotary_table
from trainable.networks.gradients import rotate


class RotaryPositions(nn.Module):
    """Turns queries or keys (batch, time, heads, head_dim) by their places, in pairs of channels."""

    cos: Tensor
    sin: Tensor

    def __init__(self, seq_len: int, head_dim: int, base: float) -> None:
        super().__init__()
        cos, sin = rotary_table(seq_len, head_dim, base)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return rotate(x, self.cos[: x.size(1)], self.sin[: x.size(1)])


class LearnedPositions(nn.Module):
    """Adds a table's first rows to embedded tokens (batch, time, dim)."""

    def __init__(self, seq_len: int, dim: int) -> None:
        super().__init__()
        self.table = nn.Embedding(seq_len, dim)

    def rows(self, x: Tensor) -> Tensor:
        """(time, dim)."""
        return self.table.weight[: x.size(1)].to(x.dtype)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.rows(x)
