from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

import search_spaces
from trainable.component import components
from trainable.shapes import LARGEST_SMALL, shapes_of

ROOT = Path(__file__).parents[2]
OF_A_NETWORK = ("model", "block", "mlp", "init", "stem part", "layer part", "attention part")


def shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize("cls", [cls for cls in components() if cls.kind in OF_A_NETWORK])
def test_a_network_of_shapes_alone_has_those_of_the_built_one(cls, with_component) -> None:
    config = with_component(cls.example())
    assert shapes(shapes_of(partial(config.model.build, 300, 64))) == shapes(config.model.build(300, 64))


@pytest.mark.parametrize("space", search_spaces.names())
def test_so_has_that_of_every_space(space) -> None:
    base = search_spaces.load(space).scale("proxy").base
    assert shapes(shapes_of(partial(base.model.build, 300, 64))) == shapes(base.model.build(300, 64))


def test_weights_take_no_memory_whatever_their_size() -> None:
    network = shapes_of(partial(nn.Linear, 10**7, 10**6))
    assert network.weight.numel() == 10**13 and network.weight.is_meta


def test_what_is_computed_from_weights_or_is_large_itself_has_shapes_too() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(torch.randn(30, 4) * torch.ones(4))
            self.register_buffer("places", torch.arange(LARGEST_SMALL + 1))

    assert shapes(shapes_of(Scaled)) == {"table": (30, 4), "places": (LARGEST_SMALL + 1,)}


def test_an_error_of_the_network_itself_is_raised() -> None:
    with pytest.raises(ValueError, match="of its own"):
        shapes_of(partial(int, "of its own"))


COUNTS = """
import sys

import search_spaces
import tuner.audit.short_runs
from search_spaces.constraints import num_parameters

counted = [num_parameters(search_spaces.load(name).scale("proxy").base, 300) for name in search_spaces.names()]
print(len(counted), "torch._dynamo" in sys.modules, "sympy" in sys.modules)
"""


def test_neither_to_count_parameters_nor_to_audit_loads_the_compiler() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", COUNTS], env=environment, capture_output=True, text=True, timeout=240)
    assert done.stdout.split()[1:] == ["False", "False"], done.stdout + done.stderr
