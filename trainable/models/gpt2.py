"""GPT-2's model as mainrun trains it: norms with gains, biases, learned positions, dropout, one table in and out.

Source: MaincodeHQ/mainrun, mainrun/train.py; the parts that the optimisation report swaps are fields.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from terminal.nearest import nearest
from torch import Tensor, nn

from trainable.models.before_activation import add_biases
from trainable.models.causal_attention import CausalAttention, MeasurableAttention
from trainable.models.mlp import MLP, Gelu
from trainable.models.model import Model, Network
from trainable.models.norms import LayerNorm, Norm
from trainable.models.positions import LEARNED, POSITIONS, ROPE, LearnedPositions, Rotation
from trainable.ranges import Heads, Layers, PartBelowOne, Positive, RopeBase, Width


@dataclass(frozen=True, kw_only=True)
class GPT2(Model):
    """The knobs of mainrun's GPT-2; the defaults are its baseline (27,172,864 parameters at vocabulary 16,000)."""

    num_layers: Layers = 6
    model_dim: Width = 512
    num_heads: Heads = 8
    mlp: MLP = Gelu()  # the report's SwiGLU has int(8/3 model_dim) channels and no biases
    mlp_mult: Positive = 4.0
    norm: Norm = LayerNorm()
    bias: bool = True  # of the attention's layers and of LayerNorm
    mlp_bias: bool = True
    positions: str = LEARNED  # a table that starts at zero, or rope
    rope_base: RopeBase = 10000.0
    dropout: PartBelowOne = 0.1  # of attention weights, both branches and the stem, in training; the report's is 0.05
    tie_embeddings: bool = True
    init_std: Positive = 0.02  # of all matrices and the token table

    def validate(self) -> None:
        known = f"one of {', '.join(POSITIONS)}: {nearest(self.positions, POSITIONS, 'labels')}"
        self.check(self.positions in POSITIONS, "positions", known)
        pairs = 2 * self.num_heads if self.positions == ROPE else self.num_heads
        fits = self.model_dim > 0 and self.model_dim % pairs == 0
        self.check(fits, "model_dim", f"a multiple of {pairs} (num_heads, and pairs of channels for RoPE)")
        self.check(int(self.mlp_mult * self.model_dim) >= 2, "mlp_mult", "positive")

    @property
    def has_learned_positions(self) -> bool:
        return self.positions == LEARNED

    def build(self, vocab_size: int, seq_len: int) -> Network:
        return PreNormTransformer(self, vocab_size, seq_len)

    def flops_per_token(self, vocab_size: int, seq_len: int) -> int:
        d = self.model_dim
        layer = 4 * d * d + self.mlp.num_matrix_weights(d, self.mlp_mult)
        return 6 * (self.num_layers * layer + vocab_size * d) + 6 * self.num_layers * seq_len * d


class PreNormTransformer(Network):
    """The network of :class:`GPT2`."""

    def __init__(self, config: GPT2, vocab_size: int, seq_len: int) -> None:
        super().__init__()
        dim, learned = config.model_dim, config.positions == LEARNED
        self.embedding = nn.Embedding(vocab_size, dim)
        self.place = LearnedPositions(seq_len, dim) if learned else nn.Identity()
        turn = nn.Identity() if learned else Rotation(seq_len, dim // config.num_heads, config.rope_base)
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(PreNormBlock(config, turn) for _ in range(config.num_layers))
        self.norm = config.norm.build(dim, config.bias)
        self.head = None if config.tie_embeddings else nn.Linear(dim, vocab_size, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=config.init_std)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        if isinstance(self.place, LearnedPositions):
            nn.init.zeros_(self.place.table.weight)

    def hidden(self, tokens: Tensor) -> Tensor:
        x = self.drop(self.place(self.embedding(tokens)))  # (batch, time, dim)
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.norm(x)
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        table = self.embedding.weight if self.head is None else self.head.weight
        return F.linear(hidden, table.to(hidden.dtype))  # (batch, time, vocab)


class PreNormBlock(nn.Module):
    """x += drop(attention(norm(x))), then x += drop(mlp(norm(x)))."""

    def __init__(self, config: GPT2, turn: nn.Module) -> None:
        super().__init__()
        self.attention_norm = config.norm.build(config.model_dim, config.bias)
        self.attention = SelfAttention(config, turn)
        self.mlp_norm = config.norm.build(config.model_dim, config.bias)
        self.mlp = config.mlp.build(config.model_dim, config.mlp_mult)
        if config.mlp_bias:
            add_biases(self.mlp)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop(self.attention(self.attention_norm(x)))
        x = x + self.drop(self.mlp(self.mlp_norm(x)))
        return x


class SelfAttention(MeasurableAttention):
    """Causal attention with biases and, in training, dropped attention weights."""

    def __init__(self, config: GPT2, turn: nn.Module) -> None:
        super().__init__()
        dim = config.model_dim
        self.num_heads = self.num_kv_heads = config.num_heads
        self.q, self.k, self.v, self.proj = (nn.Linear(dim, dim, bias=config.bias) for _ in range(4))
        self.turn = turn
        self.attend = CausalAttention(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        batch, time, _ = x.shape
        q, k, v = (layer(x).view(batch, time, self.num_heads, -1) for layer in (self.q, self.k, self.v))
        out: Tensor = self.proj(self.attend(self.turn(q), self.turn(k), v).flatten(2))
        return out
