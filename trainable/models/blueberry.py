"""The speedrun's "Blueberry": a plain pre-norm transformer, 151,032,320 parameters at 32 layers of 512.

Embeddings times sqrt(model_dim), RMSNorms with a gain, QK-norm with a gain and before RoPE, grouped keys, a tied head,
no biases, dropout in every place. Its MoE forms have a mixture of SiLU experts in the MLP's place, no QK-norm, and one
matrix for queries, keys and values. Source: 5-dollar-llm at the record (fce1efd), the MoE forms at 0248c5b.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainable.models.mixture_of_experts import Experts
from trainable.models.mlp import MLP, SwiGLU
from trainable.models.model import Model
from trainable.ranges import Heads, Layers, PartBelowOne, Positive, RopeBase, Width

if TYPE_CHECKING:
    from trainable.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class Blueberry(Model):
    """The knobs of the speedrun's model; the defaults are the record's.

    SwiGLU's hidden width is two thirds of mlp_mult * model_dim: at 6 it is the record's 2048, and any other activation
    has as many weights (relu^2 3072). At 4 relu^2 has the record's width instead, and 117.5 million parameters.
    """

    num_layers: Layers = 32  # blocks
    model_dim: Width = 512  # width of the residual stream
    num_heads: Heads = 8  # query heads
    num_kv_heads: Heads = 4  # key/value heads, each shared by num_heads / num_kv_heads query heads
    mlp: MLP = SwiGLU()  # the activation
    mlp_mult: Positive = 6.0  # hidden width of the MLP in units of model_dim
    experts: Experts | None = None  # so many MLPs with a router, instead of one
    tie_embeddings: bool = True  # one table for input and output
    dropout: PartBelowOne = 0.1  # of embeddings, attention weights, hidden MLP channels, both branches and the output
    rope_base: RopeBase = 10_000.0  # longest wavelength of the rotary positions, in tokens / 2 pi
    init_std: Positive = 0.02  # of every matrix and table
    zero_init_proj: bool = False  # attention and MLP output projections start at zero instead
    qk_norm: bool = True  # queries and keys normalised per head; the MoE forms have no such norm before 2025-12-15
    joined_qkv: bool = False  # queries, keys and values by one matrix, as the MoE forms have it: to Muon it is one

    def validate(self) -> None:
        even = self.model_dim > 0 and self.model_dim % (2 * self.num_heads) == 0
        self.check(even, "model_dim", f"a multiple of 2 * num_heads = {2 * self.num_heads} (RoPE turns pairs)")
        divides = self.num_kv_heads >= 1 and self.num_heads % self.num_kv_heads == 0
        self.check(divides, "num_kv_heads", f"a divisor of num_heads = {self.num_heads}")
        self.check(int(2 / 3 * self.mlp_mult * self.model_dim) >= 1, "mlp_mult", "positive")

    @property
    def num_mlps(self) -> int:
        """Count the MLPs of each layer."""
        return 1 if self.experts is None else self.experts.num_experts

    def build(self, vocab_size: int, seq_len: int) -> Network:
        from trainable.networks.blueberry import Transformer

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
