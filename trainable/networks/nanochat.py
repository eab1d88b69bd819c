"""The network of nanochat; its knobs, and what they mean, are in ``models/nanochat.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainable.models.nanochat import SMEAR_CHANNELS, VALUE_CHANNELS, Nanochat
from trainable.models.parts import Place
from trainable.networks.causal_attention import CausalAttention, MeasurableAttention, Window, WindowedAttention
from trainable.networks.gpt import rotary_table
from trainable.networks.gradients import norm, softcap
from trainable.networks.network import Network
from trainable.networks.query_key_value import Rotation, uniform_linear
from trainable.networks.scalar import Scalar


class Transformer(Network):
    """The network of :class:`Nanochat`."""

    head: nn.Linear
    cos: Tensor
    sin: Tensor

    def __init__(self, config: Nanochat, vocab_size: int, seq_len: int) -> None:
        super().__init__()
        dim, layers, rows = config.model_dim, config.num_layers, config.padded(vocab_size)
        self.num_tokens, self.softcap, self.middle = vocab_size, Scalar(config.logit_softcap), layers // 2
        self.embedding = nn.Embedding(rows, dim)
        nn.init.normal_(self.embedding.weight, std=0.8)
        self.head = nn.Linear(dim, rows, bias=False)
        nn.init.normal_(self.head.weight, std=0.001)
        kv_heads = config.qkv.num_kv_heads(config.num_heads)
        places = [Place(i, layers, dim, config.num_heads, kv_heads, vocab_size) for i in range(layers)]
        sizes = [config.window(place.index, seq_len) for place in places]
        windows = {size: None if size is None else Window(size, seq_len) for size in sizes}
        self.blocks = nn.ModuleList(
            Block(config, place, windows[size]) for place, size in zip(places, sizes, strict=True)
        )
        with_values = [p for p in places if config.has_value_embedding(p.index)]
        self.value_embeddings = nn.ModuleDict(
            {str(p.index): value_embedding(rows, p.num_kv_heads * config.head_dim, dim) for p in with_values}
        )
        self.resid_lambdas = nn.Parameter(torch.linspace(config.resid_lambda_first, config.resid_lambda_last, layers))
        self.x0_lambdas = nn.Parameter(torch.linspace(config.x0_lambda_first, config.x0_lambda_last, layers))
        self.smear = Smear(config.smear_lambda_init, config.smear_gate_init)
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
            x = self.call_block(block, self.resid_lambdas[i] * x + self.x0_lambdas[i] * x0, values, rotation)
            if i == self.middle:
                middle = x
        return norm(x - self.backout_lambda * middle)

    def logits(self, hidden: Tensor) -> Tensor:
        z = F.linear(hidden, self.head.weight.to(hidden.dtype))[..., : self.num_tokens]
        return softcap(z.float(), self.softcap())  # (batch, time, vocab)

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
    """x_t += lambda * sigmoid(W x_t[:24]) * x_(t-1) for every token but the first; lambda and W are learned.

    The commit of Run 6 (a825e63) leaves W as the memory was that it got; from 9822cc7 on it is drawn as here.
    """

    def __init__(self, start: float, gate_init: float) -> None:
        super().__init__()
        self.gate = nn.Linear(SMEAR_CHANNELS, 1, bias=False)
        nn.init.uniform_(self.gate.weight, 0.0, gate_init)
        self.weight = nn.Parameter(torch.tensor(start))

    def forward(self, x: Tensor) -> Tensor:
        gate = self.weight * torch.sigmoid(self.gate(x[:, 1:, :SMEAR_CHANNELS]))
        return torch.cat([x[:, :1], x[:, 1:] + gate.to(x.dtype) * x[:, :-1]], dim=1)


class Block(nn.Module):
    """x += attention(norm(x)), then x += mlp(norm(x)); both output projections are zero at the start."""

    def __init__(self, config: Nanochat, place: Place, window: Window | None) -> None:
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

    def __init__(self, config: Nanochat, place: Place, window: Window | None) -> None:
        super().__init__()
        self.num_heads, self.num_kv_heads = place.num_heads, place.num_kv_heads
        self.qkv = config.qkv.build(place.dim, place.num_heads, config.head_dim)
        self.attend = CausalAttention() if window is None else WindowedAttention(window)
        self.parts = nn.ModuleList(part.build(place) for part in config.attention)
        self.proj = uniform_linear(place.dim, place.dim, scale=0.0)
        self.gain = Scalar(config.value_embed_gain)
        self.value_gate = None
        if config.has_value_embedding(place.index):
            self.value_gate = nn.Linear(VALUE_CHANNELS, place.num_kv_heads, bias=False)
            nn.init.uniform_(self.value_gate.weight, 0.0, 0.02)  # a little above a gate of gain / 2

    def forward(self, x: Tensor, values: Tensor | None, rotation: Rotation) -> Tensor:
        q, k, v = self.qkv(x, rotation)  # each (batch, time, heads, head_dim)
        if self.value_gate is not None and values is not None:
            gate = self.gain() * torch.sigmoid(self.value_gate(x[..., :VALUE_CHANNELS]))  # (batch, time, kv heads)
            v = v + gate.to(v.dtype)[..., None] * values.view_as(v)
        y = self.attend(q, k, v)
        for part in self.parts:
            y = part(y, v, x)
        out: Tensor = self.proj(y.flatten(2))
        return out

    def shrink_logits(self, factors: Tensor, balance: float) -> None:
        self.qkv.shrink_logits(factors, balance)
