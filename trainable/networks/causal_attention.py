"""The attention kernel as a module: what a sliding window swaps, and what a QK-clip wraps to see the logits.

Queries, keys and values are (batch, time, heads, head_dim); keys and values may have fewer heads.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from trainable.networks import small_heads
from trainable.networks.attention_kernel import scaled_dot_product
from trainable.networks.flex_attention import Blocks, blocks_of


class CausalAttention(nn.Module):
    """softmax(q k^T / sqrt(head_dim)) v over a token and all before it; attention weights are dropped in training."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        self.blocks: dict[int, Blocks] = {}  # by length, the mask for FlexAttention; empty: it is not wanted

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        dropout = self.dropout if self.training else 0.0
        if not dropout and small_heads.is_faster(q, k):
            return small_heads.attend(q, k, v)
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))  # (batch, heads, time, head_dim)
        return scaled_dot_product(q, k, v, None, dropout, self.blocks.get(q.size(2))).transpose(1, 2)

    @property
    def reach(self) -> int | None:
        """Count the tokens before itself that a token sees; None is all."""
        return None

    def seen(self, time: int, device: torch.device) -> Tensor:
        """Mark the keys (columns) that each query (row) attends to: bool (time, time)."""
        return torch.ones(time, time, dtype=torch.bool, device=device).tril()


class Window(nn.Module):
    """Mask of a window of ``size`` tokens over sequences of up to ``seq_len``; all layers with the window share it."""

    seen: Tensor  # bool (seq_len, seq_len)

    def __init__(self, size: int, seq_len: int) -> None:
        super().__init__()
        self.size = size
        place = torch.arange(seq_len)
        back = place[:, None] - place
        self.register_buffer("seen", (back >= 0) & (back <= size), persistent=False)


class WindowedAttention(CausalAttention):
    """Causal attention over a token and the window before it."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.window = window

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if small_heads.is_faster(q, k):
            return small_heads.attend(q, k, v, self.window.size)
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))
        time = q.size(2)
        return scaled_dot_product(q, k, v, self.seen(time, q.device), 0.0, self.blocks.get(time)).transpose(1, 2)

    @property
    def reach(self) -> int | None:
        return self.window.size

    def seen(self, time: int, device: torch.device) -> Tensor:
        return self.window.seen[:time, :time]


def allow_flex(network: nn.Module, lengths: Iterable[int], device: str) -> None:
    """Let all attention of a network go to FlexAttention, over sequences of these lengths, where that is a kernel's.

    Layers with one window share its mask.
    """
    kernels = [module for module in network.modules() if isinstance(module, CausalAttention)]
    made: dict[int | None, dict[int, Blocks]] = {}
    for kernel in kernels:
        if kernel.reach not in made:
            made[kernel.reach] = blocks_of(lengths, kernel.reach, device)
        kernel.blocks = made[kernel.reach]


class MeasurableAttention(nn.Module):
    """An attention module whose logits a hook can see (through ``attend``) and shrink."""

    attend: CausalAttention
    q: nn.Linear
    k: nn.Linear
    num_heads: int
    num_kv_heads: int

    @torch.no_grad()
    def shrink_logits(self, factors: Tensor, balance: float) -> None:
        """Make the logits of query head h ``factors[h]`` times what they were: factor^balance is taken by the query.

        A key that several query heads read stays as it is, and the query takes all.
        """
        shared = self.num_kv_heads != self.num_heads
        queries, keys = self.query_and_key()
        shrink_rows(queries, factors if shared else factors**balance)
        if not shared:
            shrink_rows(keys, factors ** (1 - balance))

    def query_and_key(self) -> tuple[list[Tensor], list[Tensor]]:
        """Weights, and biases where there are any, that make the queries, and those that make the keys."""
        return parameters_of(self.q), parameters_of(self.k)


def parameters_of(linear: nn.Linear) -> list[Tensor]:
    """The weight of a layer, and its bias if it has one."""
    return [linear.weight] if linear.bias is None else [linear.weight, linear.bias]


def shrink_rows(parameters: Iterable[Tensor], factors: Tensor) -> None:
    """Multiply what a layer puts out for each head by its factor: the rows of its weights, and of its bias."""
    for parameter in parameters:
        heads = parameter.view(len(factors), -1)
        heads.mul_(factors.to(heads.dtype)[:, None])
