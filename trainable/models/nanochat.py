"""nanochat's GPT: the size follows from the depth, and most parameters are value embeddings.

Tokens are embedded, normalised and smeared (each takes a little of the one before). Each layer rescales the stream and
mixes the stem back in, attends and transforms; every other layer, the last included, adds an embedding of the token to
its values. Before the head a part of the middle of the network is taken out again.
Source: nanochat/gpt.py in 2026-07; no biases, no norm gains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainable.models.causal_attention import CausalAttention, MeasurableAttention, WindowedAttention
from trainable.models.gpt import rotary_table
from trainable.models.gradients import norm, softcap
from trainable.models.mlp import MLP, Relu2
from trainable.models.model import Model, Network
from trainable.models.parts import AttentionPart, Place, check_parts
from trainable.models.query_key_value import QueryKeyValue, Rotation, SeparateHeads, uniform_linear
from trainable.ranges import Context, Layers, Positive, RopeBase, Signed, Width

WINDOW_MULTIPLE = 128  # short windows are rounded up to it
SMEAR_CHANNELS, VALUE_CHANNELS = 24, 12  # channels that the gates look at


@dataclass(frozen=True, kw_only=True)
class Nanochat(Model):
    """The knobs of nanochat's GPT; depth 22 is the campaign's candidate (1.123 billion parameters).

    model_dim = num_layers * aspect_ratio rounded up to a multiple of head_dim; num_heads = model_dim / head_dim.
    """

    num_layers: Layers = 22
    aspect_ratio: Width = 64  # channels a layer
    head_dim: Width = 128
    qkv: QueryKeyValue = SeparateHeads()
    mlp: MLP = Relu2()
    mlp_mult: Positive = 4.0
    attention: tuple[AttentionPart, ...] = ()  # what happens to the heads' outputs
    window_pattern: str = "SSSL"  # repeated over the layers: short or long; the last layer is long
    short_window: Context | None = None  # tokens; null: a quarter of the longest sequence, up to a multiple of 128
    rope_base: RopeBase | None = 100_000.0  # null: no positions (NoPE)
    logit_softcap: Positive = 15.0  # logits are c * tanh(z / c)
    pad_vocab_multiple: Width = 64  # tables are padded to it; the logits are cut again
    value_embed_gain: Signed = 3.0  # v += gain * sigmoid(gate) * embedding
    resid_lambda_first: Signed = 1.15  # start of the learned factor on the stream, linear over the layers
    resid_lambda_last: Signed = 1.05
    x0_lambda_first: Signed = 0.20  # start of the learned share of the stem
    x0_lambda_last: Signed = 0.05
    smear_lambda_init: Signed = 0.0
    backout_lambda_init: Signed = 0.2

    def validate(self) -> None:
        self.check(self.head_dim >= 2 and self.head_dim % 2 == 0, "head_dim", "even (RoPE turns pairs)")
        wide = self.model_dim >= SMEAR_CHANNELS
        self.check(wide, "num_layers", f"such that the depth rule gives {SMEAR_CHANNELS} channels or more")
        self.qkv.num_kv_heads(self.num_heads)
        self.check(int(self.mlp_mult * self.model_dim) >= 1, "mlp_mult", "positive")
        letters = bool(self.window_pattern) and set(self.window_pattern) <= {"S", "L"}
        self.check(letters, "window_pattern", "letters S and L, such as SSSL")
        check_parts("model.attention", self.attention, self.num_layers, self.num_heads)

    @classmethod
    def example(cls) -> Self:
        return cls(num_layers=2, aspect_ratio=16, head_dim=8, short_window=4)

    @property
    def model_dim(self) -> int:
        return -(-self.num_layers * self.aspect_ratio // self.head_dim) * self.head_dim

    @property
    def num_heads(self) -> int:
        return self.model_dim // self.head_dim

    def padded(self, vocab_size: int) -> int:
        """Rows of the token tables."""
        return -(-vocab_size // self.pad_vocab_multiple) * self.pad_vocab_multiple

    def window(self, layer: int, seq_len: int) -> int | None:
        """How many tokens before itself a token of a layer sees; None is all."""
        letter = self.window_pattern[layer % len(self.window_pattern)]
        if letter == "L" or layer == self.num_layers - 1:
            return None
        return self.short_window or -(-seq_len // 4 // WINDOW_MULTIPLE) * WINDOW_MULTIPLE

    def has_value_embedding(self, layer: int) -> bool:
        return layer % 2 == (self.num_layers - 1) % 2

    def build(self, vocab_size: int, seq_len: int) -> Network:
        return Transformer(self, vocab_size, seq_len)

    def flops_per_token(self, vocab_size: int, seq_len: int) -> int:
        d, kv_heads = self.model_dim, self.qkv.num_kv_heads(self.num_heads)
        layer = self.qkv.num_matrix_weights(d, self.num_heads, self.head_dim) + d * d
        layer += self.mlp.num_matrix_weights(d, self.mlp_mult) + sum(p.num_matrix_weights(d) for p in self.attention)
        gates = sum(map(self.has_value_embedding, range(self.num_layers))) * VALUE_CHANNELS * kv_heads + SMEAR_CHANNELS
        weights = self.num_layers * layer + gates + self.padded(vocab_size) * d
        seen = sum(mean_keys(self.window(i, seq_len), seq_len) for i in range(self.num_layers))
        return 6 * weights + int(12 * d * seen)


def mean_keys(window: int | None, seq_len: int) -> float:
    """Keys that a query sees on average, but for the ends."""
    if window is None or window >= seq_len:
        return seq_len / 2
    return window - window**2 / (2 * seq_len)


class Transformer(Network):
    """The network of :class:`Nanochat`."""

    head: nn.Linear
    cos: Tensor
    sin: Tensor

    def __init__(self, config: Nanochat, vocab_size: int, seq_len: int) -> None:
        super().__init__()
        dim, layers, rows = config.model_dim, config.num_layers, config.padded(vocab_size)
        self.num_tokens, self.softcap, self.middle = vocab_size, config.logit_softcap, layers // 2
        self.embedding = nn.Embedding(rows, dim)
        nn.init.normal_(self.embedding.weight, std=0.8)
        self.head = nn.Linear(dim, rows, bias=False)
        nn.init.normal_(self.head.weight, std=0.001)
        kv_heads = config.qkv.num_kv_heads(config.num_heads)
        places = [Place(i, layers, dim, config.num_heads, kv_heads, vocab_size) for i in range(layers)]
        self.blocks = nn.ModuleList(Block(config, place, config.window(place.index, seq_len)) for place in places)
        with_values = [p for p in places if config.has_value_embedding(p.index)]
        self.value_embeddings = nn.ModuleDict(
            {str(p.index): value_embedding(rows, p.num_kv_heads * config.head_dim, dim) for p in with_values}
        )
        self.resid_lambdas = nn.Parameter(torch.linspace(config.resid_lambda_first, config.resid_lambda_last, layers))
        self.x0_lambdas = nn.Parameter(torch.linspace(config.x0_lambda_first, config.x0_lambda_last, layers))
        self.smear = Smear(config.smear_lambda_init)
        self.backout_lambda = nn.Parameter(torch.tensor(config.backout_lambda_init))
        cos, sin = rotary_table(seq_len, config.head_dim, config.rope_base or 2.0)
        if config.rope_base is None:  # a turn by no angle
            cos, sin = torch.ones_like(cos), torch.zeros_like(sin)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    @property
    def vocab_size(self) -> int:
        return self.num_tokens

    def hidden(self, tokens: Tensor) -> Tensor:
        x0 = x = self.smear(norm(self.embedding(tokens)))  # (batch, time, dim)
        rotation = (self.cos[: tokens.size(1)], self.sin[: tokens.size(1)])
        middle = x
        for i, block in enumerate(self.blocks):
            values = self.value_embeddings[str(i)](tokens).to(x.dtype) if str(i) in self.value_embeddings else None
            x = block(self.resid_lambdas[i] * x + self.x0_lambdas[i] * x0, values, rotation)
            if i == self.middle:
                middle = x
        return norm(x - self.backout_lambda * middle)

    def logits(self, hidden: Tensor) -> Tensor:
        z = F.linear(hidden, self.head.weight.to(hidden.dtype))[..., : self.num_tokens]
        return softcap(z.float(), self.softcap)  # (batch, time, vocab)

    def special_roles(self) -> Mapping[str, Sequence[nn.Parameter]]:
        return {
            "value_embedding": list(self.value_embeddings.parameters()),
            "resid_lambda": [self.resid_lambdas],
            "x0_lambda": [self.x0_lambdas],
            "smear": [*self.smear.parameters(), self.backout_lambda],
        }


def value_embedding(rows: int, kv_dim: int, dim: int) -> nn.Embedding:
    """A table (rows, kv_dim), uniform with standard deviation 1 / sqrt(dim)."""
    table = nn.Embedding(rows, kv_dim)
    bound = (3 / dim) ** 0.5
    nn.init.uniform_(table.weight, -bound, bound)
    return table


class Smear(nn.Module):
    """x_t += lambda * sigmoid(W x_t[:24]) * x_(t-1) for every token but the first; lambda and W are learned."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.gate = nn.Linear(SMEAR_CHANNELS, 1, bias=False)
        self.weight = nn.Parameter(torch.tensor(start))

    def forward(self, x: Tensor) -> Tensor:
        gate = self.weight * torch.sigmoid(self.gate(x[:, 1:, :SMEAR_CHANNELS]))
        return torch.cat([x[:, :1], x[:, 1:] + gate.to(x.dtype) * x[:, :-1]], dim=1)


class Block(nn.Module):
    """x += attention(norm(x)), then x += mlp(norm(x)); both output projections are zero at the start."""

    def __init__(self, config: Nanochat, place: Place, window: int | None) -> None:
        super().__init__()
        self.attention = Attention(config, place, window)
        self.mlp = config.mlp.build(config.model_dim, config.mlp_mult)
        bound = 0.4 * (3 / config.model_dim) ** 0.5
        for name, weight in self.mlp.named_parameters():
            if not name.startswith("proj."):
                nn.init.uniform_(weight, -bound, bound)

    def forward(self, x: Tensor, values: Tensor | None, rotation: Rotation) -> Tensor:
        x = x + self.attention(norm(x), values, rotation)
        out: Tensor = x + self.mlp(norm(x))
        return out


class Attention(MeasurableAttention):
    """Causal attention, over a window in some layers; ``values`` (batch, time, kv_dim) are gated into v."""

    def __init__(self, config: Nanochat, place: Place, window: int | None) -> None:
        super().__init__()
        self.num_heads, self.num_kv_heads = place.num_heads, place.num_kv_heads
        self.qkv = config.qkv.build(place.dim, place.num_heads, config.head_dim)
        self.attend = CausalAttention() if window is None else WindowedAttention(window)
        self.parts = nn.ModuleList(part.build(place) for part in config.attention)
        self.proj = uniform_linear(place.dim, place.dim, scale=0.0)
        self.gain = config.value_embed_gain
        self.value_gate = None
        if config.has_value_embedding(place.index):
            self.value_gate = nn.Linear(VALUE_CHANNELS, place.num_kv_heads, bias=False)
            nn.init.uniform_(self.value_gate.weight, 0.0, 0.02)  # a little above a gate of gain / 2

    def forward(self, x: Tensor, values: Tensor | None, rotation: Rotation) -> Tensor:
        q, k, v = self.qkv(x, rotation)  # each (batch, time, heads, head_dim)
        if self.value_gate is not None and values is not None:
            gate = self.gain * torch.sigmoid(self.value_gate(x[..., :VALUE_CHANNELS]))  # (batch, time, kv heads)
            v = v + gate.to(v.dtype)[..., None] * values.view_as(v)
        y = self.attend(q, k, v)
        for part in self.parts:
            y = part(y, v, x)
        out: Tensor = self.proj(y.flatten(2))
        return out

    def shrink_logits(self, factors: Tensor, balance: float) -> None:
        self.qkv.shrink_logits(factors, balance)
