"""A gate on what the heads put out (Qwen's gated attention, arXiv 2505.06708), model_dim^2 more weights a block.

Evaluated for nanochat at d22: val_bpb 0.7211, and dropped, for CORE failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from trainable.models.parts import AttentionPart, PassThrough, Place
from trainable.ranges import Amount


@dataclass(frozen=True, kw_only=True)
class OutputGate(AttentionPart):
    """y *= scale * sigmoid(W x), channel by channel; W starts at zero. 0 is neutral: no gate is built.

    1 is the published form, which starts at half of y; 2 starts at y itself.
    """

    scale: Amount = 0.0

    def build(self, place: Place) -> nn.Module:
        return Gate(self.scale, place.dim) if self.scale else PassThrough()

    def num_matrix_weights(self, dim: int) -> int:
        return dim * dim if self.scale else 0

    @classmethod
    def neutral(cls) -> Self:
        return cls(scale=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(scale=1.0)


class Gate(nn.Module):
    scale: Tensor

    def __init__(self, scale: float, dim: int) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor(scale), persistent=False)
        # Made without drawing numbers, so that the rest of the model starts as without a gate.
        self.gate = nn.Linear(dim, dim, bias=False, device="meta").to_empty(device="cpu")
        nn.init.zeros_(self.gate.weight)

    def forward(self, y: Tensor, v: Tensor, x: Tensor) -> Tensor:
        return y * (self.scale * torch.sigmoid(self.gate(x))).to(y.dtype).view_as(y)
