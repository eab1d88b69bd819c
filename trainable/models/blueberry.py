"""The speedrun's "Blueberry": a plain pre-norm transformer, 151,032,320 parameters at 32 layers of 512.

Embeddings times sqrt(model_dim), RMSNorms with a gain, QK-norm with a gain and before RoPE, grouped keys, a tied head,
no biases, dropout in every place. Its MoE forms have a mixture of SiLU experts in the MLP's place.
Source: 5-dollar-llm at the record (fce1efd).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainable.models.causal_attention import CausalAttention, MeasurableAttention
from trainable.models.gpt import rotary_table
from trainable.models.gradients import norm, rotate
from trainable.models.mixture_of_experts import Experts, Mixture
from trainable.models.mlp import MLP, SwiGLU
from trainable.models.model import Model, Network
from trainable.ranges import Heads, Layers, PartBelowOne, Positive, RopeBase, Width


@dataclass(frozen=True, kw_only=True)
class Blueberry(Model):
    """The knobs of the speedrun's model; the defaults are the record's.

    SwiGLU's hidden width is two thirds of mlp_mult * model_dim: at 6 it is the record's 2048, and any other activation
    has as many weights (relu^2 3072). At 4 relu^2 has the record's width instead, and 117.5 million parameters.
    """

    num_layers: Layers = 32
    model_dim: Width = 512
    num_heads: Heads = 8
    num_kv_heads: Heads = 4
    mlp: MLP = SwiGLU()
    mlp_mult: Positive = 6.0
    experts: Experts | None = None  # so many MLPs with a router, instead of one
    tie_embeddings: bool = True
    dropout: PartBelowOne = 0.1  # of embeddings, attention weights, hidden MLP channels, both branches and the output
    rope_base: RopeBase = 10_000.0
    init_std: Positive = 0.02  # of every matrix and table
    zero_init_proj: bool = False  # attention and MLP output projections start at zero instead

    def validate(self) -> None:
        even = self.model_dim > 0 and self.model_dim % (2 * self.num_heads) == 0
        self.check(even, "model_dim", f"a multiple of 2 * num_heads = {2 * self.num_heads} (RoPE turns pairs)")
        divides = self.num_kv_heads >= 1 and self.num_heads % self.num_kv_heads == 0
        self.check(divides, "num_kv_heads", f"a divisor of num_heads = {self.num_heads}")
        self.check(int(2 / 3 * self.mlp_mult * self.model_dim) >= 1, "mlp_mult", "positive")

    @property
    def num_mlps(self) -> int:
        """In each layer."""
        return 1 if self.experts is None else self.experts.num_experts

    def build(self, vocab_size: int, seq_len: int) -> Network:
        return Transformer(self, vocab_size, seq_len)

    def flops_per_token(self, vocab_size: int, seq_len: int) -> int:
        d, kv_dim = self.model_dim, self.model_dim // self.num_heads * self.num_kv_heads
        layer = 2 * d * d + 2 * d * kv_dim
        if self.experts is None:
            layer += self.mlp.num_matrix_weights(d, self.mlp_mult)
        else:
            layer += self.experts.num_matrix_weights(self.mlp, d, self.mlp_mult)
        attention = 6 * self.num_layers * seq_len * d  # a causal query sees half the keys on average
        return 6 * (self.num_layers * layer + vocab_size * d) + attention


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
        for block in self.blocks:
            x = block(x, rotation)
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
    """x += dropout(attention(norm(x))), then x += dropout(mlp(norm(x)))."""

    def __init__(self, config: Blueberry) -> None:
        super().__init__()
        self.attention_norm, self.mlp_norm = Norm(config.model_dim), Norm(config.model_dim)
        self.attention = Attention(config)
        self.mlp = build_mlp(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        x = x + self.dropout(self.attention(self.attention_norm(x), rotation))
        out: Tensor = x + self.dropout(self.mlp(self.mlp_norm(x)))
        return out


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
        self.q = nn.Linear(dim, dim, bias=False)
        self.k = nn.Linear(dim, self.num_kv_heads * self.head_dim, bias=False)
        self.v = nn.Linear(dim, self.num_kv_heads * self.head_dim, bias=False)
        self.proj = nn.Linear(dim, dim, bias=False)
        self.q_norm, self.k_norm = Norm(self.head_dim), Norm(self.head_dim)
        self.attend = CausalAttention(config.dropout)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        q, k, v = (linear(x).unflatten(-1, (-1, self.head_dim)) for linear in (self.q, self.k, self.v))
        y = self.attend(rotate(self.q_norm(q), *rotation), rotate(self.k_norm(k), *rotation), v)
        out: Tensor = self.proj(y.flatten(2))
        return out
