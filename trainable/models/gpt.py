"""The knobs of the reference GPT, parameter golf's baseline; its network, readable alone, is in ``networks/gpt.py``.

Tokens are embedded and normalised (the stem, x0). Each block mixes x0 back in, then attends and transforms. The first
``encoder_layers`` blocks put their outputs on a stack; each later block first adds one back, scaled per channel.
Source: the upstream training script of the parameter-golf competition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainable.models.block import Block, SequentialBlock
from trainable.models.init import Init, UniformInit
from trainable.models.mlp import MLP, Relu2
from trainable.models.model import Model
from trainable.models.parts import AttentionPart, LayerPart, StemPart, check_parts
from trainable.ranges import Heads, LayerIndex, Layers, Positive, RopeBase, Signed, Width

if TYPE_CHECKING:
    from trainable.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class GPT(Model):
    """The knobs of the reference GPT; the defaults are the competition's baseline (17,059,912 parameters)."""

    tables_of_source: ClassVar[tuple[str, ...]] = ("embedding",)

    num_layers: Layers = 9  # blocks
    model_dim: Width = 512  # width of the residual stream
    num_heads: Heads = 8  # query heads
    num_kv_heads: Heads = 4  # key/value heads, each shared by num_heads / num_kv_heads query heads
    mlp_mult: Positive = 2.0  # hidden width of the MLP in units of model_dim
    mlp: MLP = Relu2()  # the activation
    block: Block = SequentialBlock()  # how attention and MLP join the stream
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
        from trainable.networks.gpt import Transformer

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
