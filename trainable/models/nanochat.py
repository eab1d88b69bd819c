"""nanochat's GPT: the size follows from the depth, and most parameters are value embeddings.

Tokens are embedded, normalised and smeared (each takes a little of the one before). Each layer rescales the stream and
mixes the stem back in, attends and transforms; every other layer, the last included, adds an embedding of the token to
its values. Before the head a part of the middle of the network is taken out again.
Source: nanochat/gpt.py in 2026-07; no biases, no norm gains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from trainable.models.mlp import MLP, Relu2
from trainable.models.model import Model
from trainable.models.parts import AttentionPart, check_parts
from trainable.models.query_key_value import QueryKeyValue, SeparateHeads
from trainable.ranges import Amount, Context, Layers, Positive, RopeBase, Signed, Width

if TYPE_CHECKING:
    from trainable.networks.network import Network

WINDOW_MULTIPLE = 128  # short windows are rounded up to it
SMEAR_CHANNELS, VALUE_CHANNELS = 24, 12  # channels that the gates look at


@dataclass(frozen=True, kw_only=True)
class Nanochat(Model):
    """The knobs of nanochat's GPT; depth 22 is the campaign's candidate (1.123 billion parameters).

    model_dim = num_layers * aspect_ratio rounded up to a multiple of head_dim; num_heads = model_dim / head_dim.
    """

    tables: ClassVar[tuple[str, ...]] = ("embedding", "value_embedding")
    tables_of_source: ClassVar[tuple[str, ...]] = tables

    num_layers: Layers = 22  # blocks; the width is aspect_ratio times as many channels
    aspect_ratio: Width = 64  # channels a layer
    head_dim: Width = 128  # channels a head
    qkv: QueryKeyValue = SeparateHeads()  # how queries, keys and values are made
    mlp: MLP = Relu2()  # the activation
    mlp_mult: Positive = 4.0  # hidden width of the MLP in units of the model's
    attention: tuple[AttentionPart, ...] = ()  # what happens to the heads' outputs
    window_pattern: str = "SSSL"  # repeated over the layers: short or long; the last layer is long
    short_window: Context | None = None  # tokens; null: a quarter of the longest sequence, up to a multiple of 128
    rope_base: RopeBase | None = 100_000.0  # null: no positions (NoPE)
    logit_softcap: Positive = 15.0  # logits are c * tanh(z / c)
    pad_vocab_multiple: Width = 64  # tables are padded to it; the logits are cut again
    value_embed_gain: Signed = 3.0  # v += gain * sigmoid(gate) * embedding
    resid_lambda_first: Signed = 1.15  # start of the learned factor on the stream, linear over the layers
    resid_lambda_last: Signed = 1.05  # the same at the last layer
    x0_lambda_first: Signed = 0.20  # start of the learned share of the stem
    x0_lambda_last: Signed = 0.05  # the same at the last layer
    smear_lambda_init: Signed = 0.0  # start of the learned share of the token before
    smear_gate_init: Amount = 0.02  # weights of the gate on that share start uniform between 0 and this
    backout_lambda_init: Signed = 0.2  # start of the learned share of a middle layer that the output loses

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
        """Return how many tokens before itself a token of a layer sees; None is all."""
        letter = self.window_pattern[layer % len(self.window_pattern)]
        if letter == "L" or layer == self.num_layers - 1:
            return None
        return self.short_window or -(-seq_len // 4 // WINDOW_MULTIPLE) * WINDOW_MULTIPLE

    def has_value_embedding(self, layer: int) -> bool:
        return layer % 2 == (self.num_layers - 1) % 2

    def build(self, vocab_size: int, seq_len: int) -> Network:
        from trainable.networks.nanochat import Transformer

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
