"""A gate on what the heads put out (Qwen's gated attention, arXiv 2505.06708), model_dim^2 more weights a block.

Evaluated for nanochat at d22: val_bpb 0.7211, and dropped, for CORE failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.models.parts import AttentionPart, Place
from trainable.ranges import Amount

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class OutputGate(AttentionPart):
    """y *= scale * sigmoid(W x), channel by channel; W starts at zero. 0 is neutral: no gate is built.

    1 is the published form, which starts at half of y; 2 starts at y itself.
    """

    scale: Amount = 0.0

    def build(self, place: Place) -> nn.Module:
        from trainable.networks.attention.output_gate import Gate
        from trainable.networks.parts import PassThrough

        return Gate(self.scale, place.dim) if self.scale else PassThrough()

    def num_matrix_weights(self, dim: int) -> int:
        return dim * dim if self.scale else 0

    @classmethod
    def neutral(cls) -> Self:
        return cls(scale=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(scale=1.0)
