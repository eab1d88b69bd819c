"""The baseline's split: Muon for matrices of the blocks, Adam at three other rates for all else."""

from __future__ import annotations

import pytest
from torch import nn

from trainable.models.gpt import GPT
from trainable.optimizers.adam import Adam
from trainable.optimizers.muon import Muon
from trainable.optimizers.muon_adam import MuonAdam


@pytest.mark.parametrize(
    ("tied", "rates"),
    [
        (True, {"embedding": 0.05, "matrix": 0.04, "scalar": 0.04}),
        (False, {"embedding": 0.6, "head": 0.008, "matrix": 0.04, "scalar": 0.04}),
    ],
)
def test_groups_and_rates_are_those_of_the_record_by_names_and_dimensions(tied, rates) -> None:
    network = GPT(num_layers=2, model_dim=16, num_heads=2, num_kv_heads=1, tie_embeddings=tied).build(40, 8)
    name_of = {id(p): name for name, p in network.named_parameters()}
    groups = MuonAdam().groups(network)
    found = {group.name: {name_of[id(p)] for p in group.parameters} for group in groups}

    def role(name: str, parameter: nn.Parameter) -> str:
        if name in ("embedding.weight", "head.weight"):
            return name.removesuffix(".weight")
        return "matrix" if name.startswith("blocks.") and name.endswith(".weight") and parameter.ndim == 2 else "scalar"

    expected = {role: set[str]() for role in rates}
    for name, parameter in network.named_parameters():
        expected[role(name, parameter)].add(name)
    assert found == expected
    assert {group.name: group.lr for group in groups} == rates
    assert all(group.rule == (Muon() if group.name == "matrix" else Adam(bf16_moments=True)) for group in groups)
