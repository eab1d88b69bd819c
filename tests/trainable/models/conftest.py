"""What the tests of parts share: networks in float64 in which nothing hides behind a zero or a one, and steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from trainable.hooks.hook import Step
from trainable.models.gpt import GPT
from trainable.models.parts import Place
from trainable.networks.network import Network
from trainable.networks.parts import Live

VOCAB, TIME = 11, 7


@pytest.fixture
def small() -> GPT:
    return GPT(num_layers=3, model_dim=16, num_heads=4, num_kv_heads=2)


@pytest.fixture
def place() -> Callable[..., Place]:
    def at(**changes: Any) -> Place:
        usual = {"index": 0, "num_layers": 3, "dim": 16, "num_heads": 4, "num_kv_heads": 2, "vocab_size": VOCAB}
        return Place(**{**usual, **changes})

    return at


@pytest.fixture
def scrambled() -> Callable[[GPT], Network]:
    def build(config: GPT) -> Network:
        torch.manual_seed(1)
        network = config.build(VOCAB, TIME).double()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.copy_(torch.randn(parameter.shape) / math.sqrt(max(1, parameter.size(-1))) + 0.1)
        return network

    return build


@pytest.fixture
def tokens() -> torch.Tensor:
    return torch.randint(VOCAB, (2, TIME))


@pytest.fixture
def at_step() -> Callable[..., None]:
    """Tell every part of a network that a step begins."""

    def tell(network: Network, index: int = 0, progress: float = 0.0, seed: int = 0) -> None:
        none = torch.zeros(0)
        generator = torch.Generator().manual_seed(seed)
        step = Step(network, index, progress, 1.0, generator, none, none, lambda step: none)
        for module in network.modules():
            if isinstance(module, Live):
                module.before_step(step)

    return tell
