"""GPT-2's model as mainrun trains it: norms with gains, biases, learned positions, dropout, one table in and out.

Source: MaincodeHQ/mainrun, mainrun/train.py; the parts that the optimisation report swaps are fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from terminal.nearest import rule_of_names

from trainable.models.mlp import MLP, Gelu
from trainable.models.model import Model
from trainable.models.norms import LayerNorm, Norm
from trainable.models.positions import LEARNED, POSITIONS, ROPE
from trainable.ranges import Heads, Layers, PartBelowOne, Positive, RopeBase, Width

if TYPE_CHECKING:
    from trainable.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class GPT2(Model):
    """The knobs of mainrun's GPT-2; the defaults are its baseline (27,172,864 parameters at vocabulary 16,000)."""

    num_layers: Layers = 6  # blocks
    model_dim: Width = 512  # width of the residual stream
    num_heads: Heads = 8  # heads
    mlp: MLP = Gelu()  # the report's SwiGLU has int(8/3 model_dim) channels and no biases
    mlp_mult: Positive = 4.0  # hidden width of the MLP in units of model_dim
    norm: Norm = LayerNorm()  # before both branches, and before the head
    bias: bool = True  # of the attention's layers and of LayerNorm
    mlp_bias: bool = True  # of the MLP's layers
    positions: str = LEARNED  # a table that starts at zero, or rope
    rope_base: RopeBase = 10000.0  # longest wavelength of rotary positions, in tokens / 2 pi
    dropout: PartBelowOne = 0.1  # of attention weights, both branches and the stem, in training; the report's is 0.05
    tie_embeddings: bool = True  # one table for input and output
    init_std: Positive = 0.02  # of all matrices and the token table

    def validate(self) -> None:
        known = rule_of_names(self.positions, POSITIONS)
        self.check(self.positions in POSITIONS, "positions", known)
        pairs = 2 * self.num_heads if self.positions == ROPE else self.num_heads
        fits = self.model_dim > 0 and self.model_dim % pairs == 0
        self.check(fits, "model_dim", f"a multiple of {pairs} (num_heads, and pairs of channels for RoPE)")
        self.check(int(self.mlp_mult * self.model_dim) >= 2, "mlp_mult", "positive")

    @property
    def has_learned_positions(self) -> bool:
        return self.positions == LEARNED

    def build(self, vocab_size: int, seq_len: int) -> Network:
        from trainable.networks.gpt2 import PreNormTransformer

        return PreNormTransformer(self, vocab_size, seq_len)

    def flops_per_token(self, vocab_size: int, seq_len: int) -> int:
        d = self.model_dim
        layer = 4 * d * d + self.mlp.num_matrix_weights(d, self.mlp_mult)
        return 6 * (self.num_layers * layer + vocab_size * d) + 6 * self.num_layers * seq_len * d
