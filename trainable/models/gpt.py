"""The reference GPT: parameter golf's baseline, readable alone.

Tokens are embedded and normalised (the stem, x0). Each block mixes x0 back in, then attends and transforms. The first
``encoder_layers`` blocks put their outputs on a stack; each later block first adds one back, scaled per channel.
Source: the upstream training script of the parameter-golf competition; shapes stand in trailing comments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainable.models.block import Block, SequentialBlock
from trainable.models.causal_attention import CausalAttention, MeasurableAttention
from trainable.models.gradients import norm, rotate, softcap
from trainable.models.init import Init, UniformInit
from trainable.models.mlp import MLP, Relu2, weight_of
from trainable.models.model import Model, Network
from trainable.models.parts import AttentionPart, LayerPart, Place, Stem, StemPart, check_parts
from trainable.ranges import Heads, LayerIndex, Layers, Positive, RopeBase, Signed, Width


@dataclass(frozen=True, kw_only=True)
class GPT(Model):
    """The knobs of the reference GPT; the defaults are the competition's baseline (17,059,912 parameters)."""

    num_layers: Layers = 9
    model_dim: Width = 512  # width of the residual stream
    num_heads: Heads = 8  # query heads
    num_kv_heads: Heads = 4  # key/value heads, each shared by num_heads / num_kv_heads query heads
    mlp_mult: Positive = 2.0  # hidden width of the MLP in units of model_dim
    mlp: MLP = Relu2()
    block: Block = SequentialBlock()
    stem: tuple[StemPart, ...] = ()  # what happens to embedded tokens
    layers: tuple[LayerPart, ...] = ()  # what changes the blocks, the first innermost
    attention: tuple[AttentionPart, ...] = ()  # what happens to the heads' outputs
    encoder_layers: LayerIndex | None = None  # blocks that push a skip connection; null is half of them, 0: no skips
    tie_embeddings: bool = True  # one table for input and output
    tied_embed_init_std: Positive = 0.005  # standard deviation of the table when tied; untied it is 1
    logit_softcap: Positive = 30.0  # logits are c * tanh(z / c)
    rope_base: RopeBase = 10000.0  # longest wavelength of the rotary positions, in tokens / 2 pi
    rope_dims: Width | None = None  # channels of each head that turn with the position; null is all
    weight_share_period: Layers | None = None  # layer i has the weights of layer i mod period; null shares none
    qk_gain_init: Signed = 1.5  # start of the learned gain per head on the normalised query
    init: Init = UniformInit()  # of the linear layers that do not start at zero

    def validate(self) -> None:
        even = self.model_dim > 0 and self.model_dim % (2 * self.num_heads) == 0
        self.check(even, "model_dim", f"a multiple of 2 * num_heads = {2 * self.num_heads} (RoPE turns pairs)")
        divides = self.num_kv_heads >= 1 and self.num_heads % self.num_kv_heads == 0
        self.check(divides, "num_kv_heads", f"a divisor of num_heads = {self.num_heads}")
        self.check(int(self.mlp_mult * self.model_dim) >= 1, "mlp_mult", "positive")
        inside = self.encoder_layers is None or 0 <= self.encoder_layers <= self.num_layers
        self.check(inside, "encoder_layers", f"null or in 0..num_layers = {self.num_layers}")
        pairs = self.rope_dims is None or (0 < self.rope_dims <= self.head_dim and self.rope_dims % 2 == 0)
        self.check(pairs, "rope_dims", f"null or even and in 2..head_dim = {self.head_dim}")
        inside = self.weight_share_period is None or 1 <= self.weight_share_period <= self.num_layers
        self.check(inside, "weight_share_period", f"null or in 1..num_layers = {self.num_layers}")
        for name in ("stem", "layers", "attention"):
            check_parts(f"model.{name}", getattr(self, name), self.num_layers, self.num_heads)

    @property
    def head_dim(self) -> int:
        return self.model_dim // self.num_heads

    @property
    def num_encoder_layers(self) -> int:
        return self.num_layers // 2 if self.encoder_layers is None else self.encoder_layers

    @property
    def num_skips(self) -> int:
        return min(self.num_encoder_layers, self.num_layers - self.num_encoder_layers)

    def build(self, vocab_size: int, seq_len: int) -> Network:
        return Transformer(self, vocab_size, seq_len)

    def flops_per_token(self, vocab_size: int, seq_len: int) -> int:
        d, kv_dim = self.model_dim, self.head_dim * self.num_kv_heads
        attention = 2 * d * d + 2 * d * kv_dim + sum(part.num_matrix_weights(d) for part in self.attention)
        attention += seq_len * d  # q k^T and a v, which have no weights: a causal query sees half the keys on average
        attention *= math.prod(part.attention_times() for part in self.layers)
        layer = attention + self.mlp.num_matrix_weights(d, self.mlp_mult)
        passes = sum(math.prod(part.passes(i) for part in self.layers) for i in range(self.num_layers))
        stem = sum(part.num_matrix_weights(d) for part in self.stem)
        return 6 * (stem + passes * layer + vocab_size * d)


class Transformer(Network):
    """The network of :class:`GPT`."""

    cos: Tensor  # rotary tables
    sin: Tensor

    def __init__(self, config: GPT, vocab_size: int, seq_len: int) -> None:
        super().__init__()
        dim = config.model_dim
        self.softcap = config.logit_softcap
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
            x = block(x, x0, rotation)
            if i < self.num_encoder_layers:
                pushed.append(x)
        return norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        table = self.embedding.weight if self.head is None else self.head.weight
        z = F.linear(hidden, table.to(hidden.dtype))  # (batch, time, vocab)
        return softcap(z, self.softcap)


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
