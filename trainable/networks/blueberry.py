"""The network of the speedrun's model; its knobs, and what they mean, are in ``models/blueberry.py``."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainable.models.blueberry import Blueberry
from trainable.networks.causal_attention import CausalAttention, MeasurableAttention
from trainable.networks.gpt import rotary_table
from trainable.networks.gradients import norm, rotate
from trainable.networks.mixture_of_experts import Mixture
from trainable.networks.network import Network


class Transformer(Network):
    """The network of :class:`Blueberry`."""

    cos: Tensor
    sin: Tensor

    def __init__(self, config: Blueberry, vocab_size: int, seq_len: int) -> None:
        super().__init__()
        dim = config.model_dim
        self.scale = dim**0.5
        self.embedding = nn.Embedding(vocab_size, dim)
        self.head = None if config.tie_embeddings else nn.Linear(dim, vocab_size, bias=False)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.norm = Norm(dim)
        self.dropout = nn.Dropout(config.dropout)
        cos, sin = rotary_table(seq_len, dim // config.num_heads, config.rope_base)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.initialise(config)

    def initialise(self, config: Blueberry) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=config.init_std)
        if config.zero_init_proj:
            for name, weight in self.blocks.named_parameters():
                if "proj." in name:
                    nn.init.zeros_(weight)

    def hidden(self, tokens: Tensor) -> Tensor:
        x = self.dropout(self.embedding(tokens) * self.scale)  # (batch, time, dim)
        rotation = (self.cos[: tokens.size(1)], self.sin[: tokens.size(1)])
        balances: list[Tensor | None] = []
        for block in self.blocks:
            x, balance = self.call_block(block, x, rotation)
            balances.append(balance)
        self.balances = [balance for balance in balances if balance is not None]
        out: Tensor = self.dropout(self.norm(x))
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        table = self.embedding.weight if self.head is None else self.head.weight
        return F.linear(hidden, table.to(hidden.dtype))  # (batch, time, vocab)


class Norm(nn.Module):
    """RMSNorm over the last axis with a learned gain."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return norm(x) * self.weight.to(x.dtype)


class Block(nn.Module):
    """x += dropout(attention(norm(x))), then x += dropout(mlp(norm(x))); with the balance of its experts, if any."""

    def __init__(self, config: Blueberry) -> None:
        super().__init__()
        self.attention_norm, self.mlp_norm = Norm(config.model_dim), Norm(config.model_dim)
        self.attention = Attention(config)
        self.mlp = build_mlp(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor | None]:
        x = x + self.dropout(self.attention(self.attention_norm(x), rotation))
        found = self.mlp(self.mlp_norm(x))
        y, balance = found if isinstance(self.mlp, Mixture) else (found, None)
        return x + self.dropout(y), balance


def build_mlp(config: Blueberry) -> nn.Module:
    """An MLP with dropout on its hidden channels, or a mixture of them."""
    mlps = [config.mlp.build(config.model_dim, config.mlp_mult) for _ in range(config.num_mlps)]
    for mlp in mlps:
        assert isinstance(mlp.proj, nn.Linear)
        mlp.proj = nn.Sequential(nn.Dropout(config.dropout), mlp.proj)
    return mlps[0] if config.experts is None else Mixture(config.experts, config.model_dim, mlps)


class Attention(MeasurableAttention):
    """Causal grouped-query attention; queries and keys normalised per head with a gain all heads share, then turned."""

    def __init__(self, config: Blueberry) -> None:
        super().__init__()
        dim, self.head_dim = config.model_dim, config.model_dim // config.num_heads
        self.num_heads, self.num_kv_heads = config.num_heads, config.num_kv_heads
        kv_dim, self.joined = self.num_kv_heads * self.head_dim, config.joined_qkv
        if self.joined:
            self.qkv = nn.Linear(dim, dim + 2 * kv_dim, bias=False)
        else:
            self.q = nn.Linear(dim, dim, bias=False)
            self.k = nn.Linear(dim, kv_dim, bias=False)
            self.v = nn.Linear(dim, kv_dim, bias=False)
        self.proj = nn.Linear(dim, dim, bias=False)
        self.q_norm = Norm(self.head_dim) if config.qk_norm else nn.Identity()
        self.k_norm = Norm(self.head_dim) if config.qk_norm else nn.Identity()
        self.attend = CausalAttention(config.dropout)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        q, k, v = self.heads(x)
        y = self.attend(rotate(self.q_norm(q), *rotation), rotate(self.k_norm(k), *rotation), v)
        out: Tensor = self.proj(y.flatten(2))
        return out

    def heads(self, x: Tensor) -> tuple[Tensor, ...]:
        """Queries, keys and values: (batch, time, heads, head_dim)."""
        if self.joined:
            heads = self.qkv(x).unflatten(-1, (-1, self.head_dim))
            return heads.split([self.num_heads, self.num_kv_heads, self.num_kv_heads], dim=-2)  # type: ignore[no-any-return]
        return tuple(linear(x).unflatten(-1, (-1, self.head_dim)) for linear in (self.q, self.k, self.v))

    def query_and_key(self) -> tuple[list[Tensor], list[Tensor]]:
        if not self.joined:
            return super().query_and_key()
        rows = [heads * self.head_dim for heads in (self.num_heads, self.num_kv_heads, self.num_kv_heads)]
        queries, keys, _ = torch.split(self.qkv.weight, rows)
        return [queries], [keys]
