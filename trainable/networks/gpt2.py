"""The network of GPT-2 as mainrun trains it; its knobs are in ``models/gpt2.py``."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from trainable.models.gpt2 import GPT2
from trainable.models.positions import LEARNED
from trainable.networks.before_activation import add_biases
from trainable.networks.causal_attention import CausalAttention, MeasurableAttention
from trainable.networks.network import Network
from trainable.networks.positions import LearnedPositions, RotaryPositions


class PreNormTransformer(Network):
    """The network of :class:`GPT2`."""

    def __init__(self, config: GPT2, vocab_size: int, seq_len: int) -> None:
        super().__init__()
        dim, learned = config.model_dim, config.positions == LEARNED
        self.embedding = nn.Embedding(vocab_size, dim)
        self.place = LearnedPositions(seq_len, dim) if learned else nn.Identity()
        turn = nn.Identity() if learned else RotaryPositions(seq_len, dim // config.num_heads, config.rope_base)
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
            x = self.call_block(block, x)
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
