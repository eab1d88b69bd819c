"""A step on a tiny network with gradients, as a hook meets it outside the loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from trainable.config import TrainConfig
from trainable.hooks.hook import Step


@pytest.fixture
def make_step(tiny: TrainConfig) -> Callable[..., Step]:
    def make(**changes: Any) -> Step:
        torch.manual_seed(0)
        network = tiny.model.build(260, 16)
        tokens = torch.randint(260, (2, 16))
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter)
            parameter.grad = torch.randn_like(parameter)
        usual = {"index": 1, "progress": 0.5, "multiplier": 0.8, "generator": torch.Generator().manual_seed(1)}
        return Step(
            network=network,
            inputs=tokens,
            targets=tokens,
            recompute_gradients=lambda: torch.zeros(()),
            **{**usual, **changes},
        )

    return make
