"""A number of the config inside a network: an input of a compiled graph, so that no value needs a graph of its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Scalar(nn.Module):
    """Number that eager code reads as it stands in the config, and a compiled graph as a tensor () beside the weights.

    A graph that reads a plain float holds its value as a constant, and is made anew for every other value.
    """

    tensor: Tensor  # (), fp32

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value
        self.register_buffer("tensor", torch.tensor(value, dtype=torch.float32), persistent=False)

    def forward(self) -> float | Tensor:
        return self.tensor if torch.compiler.is_compiling() else self.value
