"""The network of the reference GPT, parameter golf's baseline: readable alone. Its knobs are in ``models/gpt.py``.

Tokens are embedded and normalised (the stem, x0). Each block mixes x0 back in, then attends and transforms. The first
``encoder_layers`` blocks put their outputs on a stack; each later block first adds one back, scaled per channel.
Shapes stand in trailing comments.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainable.models.gpt import GPT
from trainable.models.parts import Place
from trainable.networks.causal_attention import CausalAttention, MeasurableAttention
from trainable.networks.gradients import norm, rotate, softcap
from trainable.networks.mlp import weight_of
from trainable.networks.network import Network
from trainable.networks.parts import Stem
from trainable.networks.scalar import Scalar


class Transformer(Network):
    """The network of :class:`GPT`."""

    cos: Tensor  # rotary tables
    sin: Tensor

    def __init__(self, config: GPT, vocab_size: int, seq_len: int) -> None:
        super().__init__()
        dim = config.model_dim
        self.softcap = Scalar(config.logit_softcap)
        self.num_encoder_layers = config.num_encoder_layers
        self.embedding = nn.Embedding(vocab_size, dim)
        self.head = None
        if config.tie_embeddings:
            nn.init.normal_(self.embedding.weight, std=config.tied_embed_init_std)
        else:
            self.head = nn.Linear(dim, vocab_size, bias=False)
            nn.init.zeros_(self.head.weight)
        places = [
            Place(i, config.num_layers, dim, config.num_heads, config.num_kv_heads, vocab_size)
            for i in range(config.num_layers)
        ]
        self.blocks = nn.ModuleList(build_layers(config, places))
        self.stem = Stem(config.stem, places[0], after_norm=False)
        self.normed_stem = Stem(config.stem, places[0], after_norm=True)
        self.skip_weights = nn.Parameter(torch.ones(config.num_skips, dim)) if config.num_skips else None
        config.init.fill(self)
        cos, sin = rotary_table(seq_len, config.head_dim, config.rope_base, config.rope_dims)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def hidden(self, tokens: Tensor) -> Tensor:
        x0 = x = self.normed_stem(norm(self.stem(self.embedding(tokens), tokens)), tokens)  # (batch, time, dim)
        rotation = (self.cos[: tokens.size(1)], self.sin[: tokens.size(1)])
        weights = [] if self.skip_weights is None else list(self.skip_weights.to(x.dtype))
        pushed: list[Tensor] = []
        for i, block in enumerate(self.blocks):
            if i >= self.num_encoder_layers and pushed and weights:
                x = torch.addcmul(x, weights.pop(0), pushed.pop())
            x = self.call_block(block, x, x0, rotation)
            if i < self.num_encoder_layers:
                pushed.append(x)
        return norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        table = self.embedding.weight if self.head is None else self.head.weight
        z = F.linear(hidden, table.to(hidden.dtype))  # (batch, time, vocab)
        return softcap(z, self.softcap())


def build_layers(config: GPT, places: list[Place]) -> list[nn.Module]:
    """The blocks with their parts inside and around them."""
    blocks = [build_block(config, place) for place in places]
    if config.weight_share_period is not None:
        for i in range(config.weight_share_period, len(blocks)):
            share_weights(blocks[i], blocks[i % config.weight_share_period])
    for part in config.layers:
        blocks = part.wrap_all(blocks, places)
    return blocks


def build_block(config: GPT, place: Place) -> nn.Module:
    """One block with the parts that stand inside it."""
    attention: nn.Module = Attention(config, place)
    mlp = config.mlp.build(config.model_dim, config.mlp_mult)
    for part in config.layers:
        attention, mlp = part.wrap_sublayer(attention, place), part.wrap_sublayer(mlp, place)
    attention_times = math.prod(part.attention_times() for part in config.layers)
    return config.block.build(config.model_dim, attention, mlp, attention_times)


def share_weights(block: nn.Module, source: nn.Module) -> None:
    """Give ``block`` the parameters of ``source``; what parts keep for each layer stays its own."""
    for name in [name for name, _ in block.named_parameters()]:
        module, _, parameter = name.rpartition(".")
        setattr(block.get_submodule(module), parameter, source.get_parameter(name))


class Attention(MeasurableAttention):
    """Causal grouped-query attention: queries and keys normalised per head, rotated, the query times a learned gain."""

    def __init__(self, config: GPT, place: Place) -> None:
        super().__init__()
        dim, self.head_dim = config.model_dim, config.head_dim
        self.num_heads, self.num_kv_heads = config.num_heads, config.num_kv_heads
        self.q = nn.Linear(dim, dim, bias=False)
        self.k = nn.Linear(dim, self.num_kv_heads * self.head_dim, bias=False)
        self.v = nn.Linear(dim, self.num_kv_heads * self.head_dim, bias=False)
        self.proj = nn.Linear(dim, dim, bias=False)
        nn.init.zeros_(self.proj.weight)
        self.q_gain = nn.Parameter(torch.full((self.num_heads,), config.qk_gain_init))
        self.attend = CausalAttention()
        self.parts = nn.ModuleList(part.build(place) for part in config.attention)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        batch, time, dim = x.shape
        heads = F.linear(x, weight_of(self.q, self.k, self.v)).view(batch, time, -1, self.head_dim)
        q_and_k, v = torch.split(heads, [self.num_heads + self.num_kv_heads, self.num_kv_heads], dim=2)
        q, k = torch.split(rotate(norm(q_and_k), *rotation), [self.num_heads, self.num_kv_heads], dim=2)
        q = q * self.q_gain.to(q.dtype)[:, None]
        y = self.attend(q, k, v)  # (batch, time, heads, head_dim)
        for part in self.parts:
            y = part(y, v, x)
        out: Tensor = self.proj(y.reshape(batch, time, dim))
        return out


def rotary_table(seq_len: int, head_dim: int, base: float, rope_dims: int | None = None) -> tuple[Tensor, Tensor]:
    """Cosines and sines (time, 1, head_dim / 2) of RoPE (arXiv 2104.09864), for ``rotate``.

    With ``rope_dims`` only that many channels turn: the first half of them at the start of each half of the head.
    """
    turning = head_dim if rope_dims is None else rope_dims
    frequency = base ** -(torch.arange(0, turning, 2, dtype=torch.float32) / turning)
    frequency = F.pad(frequency, (0, (head_dim - turning) // 2))  # the other pairs of channels stand still
    angle = torch.outer(torch.arange(seq_len, dtype=torch.float32), frequency)[:, None, :]
    return angle.cos(), angle.sin()
