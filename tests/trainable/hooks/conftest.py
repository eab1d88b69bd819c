"""A step on a tiny network with gradients, as a hook meets it outside the loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from trainable.config import TrainConfig
from trainable.hooks.hook import Step


@pytest.fixture
def make_step(tiny: TrainConfig) -> Callable[..., Step]:
    def make(num_layers: int = 2, **changes: Any) -> Step:
        torch.manual_seed(0)
        network = dataclasses.replace(tiny.model, num_layers=num_layers).build(260, 16)
        tokens = torch.randint(260, (2, 16))
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter)
            parameter.grad = torch.randn_like(parameter)
        usual = {
            "network": network,
            "index": 1,
            "progress": 0.5,
            "multiplier": 0.8,
            "generator": torch.Generator().manual_seed(1),
            "inputs": tokens,
            "targets": tokens,
            "gradients": lambda step: torch.zeros(()),
        }
        return Step(**{**usual, **changes})

    return make


@pytest.fixture
def in_float64() -> Callable[..., list[np.ndarray]]:
    """Copies of tensors to compute with independently."""
    return lambda tensors: [t.detach().numpy().astype(np.float64) for t in tensors]


@pytest.fixture
def gradients(in_float64: Callable[..., list[np.ndarray]]) -> Callable[..., list[list[np.ndarray]]]:
    """The gradients of each block of a step, in float64."""
    return lambda step: [in_float64(p.grad for p in block.parameters()) for block in step.network.blocks]
