"""The network of nGPT: each sub-layer moves a point along a sphere; its knobs are in ``models/ngpt.py``."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from trainable.models.ngpt import NGPT, SHARPNESS
from trainable.models.positions import LEARNED, ROPE
from trainable.networks.before_activation import put_before_activation
from trainable.networks.causal_attention import CausalAttention, MeasurableAttention
from trainable.networks.hypersphere import (
    Additive,
    LearnedScale,
    Lerp,
    Magnitude,
    SometimesUnit,
    Unit,
    UnitHeads,
    WidthScale,
    unit,
)
from trainable.networks.mlp import weight_of
from trainable.networks.network import Network
from trainable.networks.positions import LearnedPositions, RotaryPositions

STEPS: dict[str, Callable[[LearnedScale, nn.Module], nn.Module]] = {"lerp": Lerp, "additive": Additive}


class Sphere(Network):
    """The network of :class:`NGPT`."""

    head: nn.Linear

    def __init__(self, config: NGPT, vocab_size: int, seq_len: int) -> None:
        super().__init__()
        dim, head_dim = config.model_dim, config.model_dim // config.num_heads
        learned = config.positions == LEARNED
        self.embedding = nn.Embedding(vocab_size, dim)
        self.place: nn.Module = UnitPositions(seq_len, dim) if learned else nn.Identity()
        turns = config.positions == ROPE
        turn = RotaryPositions(seq_len, head_dim, config.rope_base) if turns else nn.Identity()
        self.blocks = nn.ModuleList(SphereBlock(config, turn) for _ in range(config.num_layers))
        self.head = nn.Linear(dim, vocab_size, bias=False)
        self.rows: Callable[[Tensor], Tensor] = unit if config.cosine_head else as_it_is
        self.logit_scale = logit_scale(config, vocab_size)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                module.reset_parameters()
                if config.init_scheme == "normal":
                    nn.init.normal_(module.weight, std=dim**-0.5)

    def hidden(self, tokens: Tensor) -> Tensor:
        x: Tensor = self.place(unit(self.embedding(tokens)))  # (batch, time, dim), of length 1
        for block in self.blocks:
            x = self.call_block(block, x)
        return x

    def logits(self, hidden: Tensor) -> Tensor:
        z = F.linear(hidden, self.rows(self.head.weight).to(hidden.dtype))  # (batch, time, vocab)
        scaled: Tensor = z * self.logit_scale().to(z.dtype)
        return scaled


class UnitPositions(LearnedPositions):
    """n(x + n(row of the place))."""

    def forward(self, x: Tensor) -> Tensor:
        return unit(x + unit(self.rows(x)))


class SphereBlock(nn.Module):
    """Attention, then the MLP; each takes a step along the sphere."""

    def __init__(self, config: NGPT, turn: nn.Module) -> None:
        super().__init__()
        self.attention = SphereAttention(config, turn)
        self.mlp = config.mlp.build(config.model_dim, config.mlp_mult)
        if config.s_uv:
            put_before_activation(self.mlp, lambda width: WidthScale(width, config.model_dim))
        self.attention_step = STEPS[config.residual_form](alpha(config), first_norm(config))
        self.mlp_step = STEPS[config.residual_form](alpha(config), Unit())

    def forward(self, x: Tensor) -> Tensor:
        x = self.attention_step(x, self.attention(x))
        x = self.mlp_step(x, self.mlp(x))
        return x


class SphereAttention(MeasurableAttention):
    """Causal attention; queries and keys are turned, then brought to a learned length (or left alone)."""

    def __init__(self, config: NGPT, turn: nn.Module) -> None:
        super().__init__()
        dim = config.model_dim
        self.num_heads = self.num_kv_heads = config.num_heads
        self.q, self.k, self.v, self.proj = (nn.Linear(dim, dim, bias=False) for _ in range(4))
        self.turn = turn
        self.length: nn.Module = UnitHeads(dim) if config.s_qk else nn.Identity()
        self.sharpness = SHARPNESS[config.attn_scale](dim // config.num_heads)
        self.attend = CausalAttention()

    def forward(self, x: Tensor) -> Tensor:
        batch, time, _ = x.shape
        heads = F.linear(x, weight_of(self.q, self.k, self.v)).view(batch, time, 3 * self.num_heads, -1)
        q, k, v = heads.chunk(3, dim=2)  # (batch, time, heads, head_dim)
        q, k = self.length(self.turn(q)) * self.sharpness, self.length(self.turn(k))
        out: Tensor = self.proj(self.attend(q, k, v).flatten(2))
        return out


def first_norm(config: NGPT) -> nn.Module:
    """The norm behind a block's attention; the block ends with another one, behind the MLP."""
    prob = config.residual_norm_prob
    if prob is None or prob == 1:
        return Unit()
    return SometimesUnit(prob) if prob else nn.Identity()


def as_it_is(x: Tensor) -> Tensor:
    return x


def alpha(config: NGPT) -> LearnedScale:
    """The learned step of one sub-layer."""
    shape = (config.model_dim,) if config.alpha_param == "vector" else ()
    kind = Magnitude if config.alpha_abs else LearnedScale
    return kind(shape, config.alpha_init, config.model_dim**-0.5 if config.alpha_reparam else None)


def logit_scale(config: NGPT, vocab_size: int) -> LearnedScale:
    shape = (vocab_size,) if config.logit_scale_param == "per_vocab" else ()
    return LearnedScale(shape, config.logit_scale_init, config.model_dim**-0.5 if config.logit_scale_reparam else None)
