"""Sums and means of loss terms: over tokens each is a mean, and over layers what its source has.

A term that is a mean where its source has a sum is too weak by the number of layers. Every term stands in a table.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from trainable.component import component, components
from trainable.losses.loss_term import Outputs
from trainable.models.gpt import GPT
from trainable.networks.mixture_of_experts import Mixture
from trainable.networks.network import Network

OF_TOKENS, SUM, MEAN = "tokens alone", "sum over layers", "mean over layers"
OVER = {
    "EntropyBonus": OF_TOKENS,
    "Focal": OF_TOKENS,
    "LabelSmoothing": OF_TOKENS,
    "LogitL2": OF_TOKENS,
    "LogitTemperature": OF_TOKENS,
    "MultiToken": OF_TOKENS,
    "TargetDropout": OF_TOKENS,
    "ZLoss": OF_TOKENS,
    "LoadBalancing": SUM,  # 5-dollar-llm at 60cc718, models/moe_llm.py: the sum of what the blocks gave back
    "HeadDiversity": MEAN,  # never acted in its script, which meant the first block alone
}
MODEL = GPT(num_layers=2, model_dim=32, num_heads=4, num_kv_heads=2)


def test_every_term_stands_in_the_table():
    assert {cls.__name__ for cls in components("loss term") if cls.__module__.startswith("trainable.")} == set(OVER)


def outputs(network: Network, tokens: torch.Tensor, logits: torch.Tensor) -> Outputs:
    hidden = network.hidden(tokens)
    return Outputs(network, hidden, logits, tokens, F.cross_entropy(logits.flatten(0, 1), tokens.flatten()))


def with_alike_layers(name: str, num_layers: int) -> Network:
    """A network whose layers all have the weights of the first, and routers without noise."""
    model = component(name, "loss term").needs.get("model", MODEL)
    network = replace(model, num_layers=num_layers).build(50, 8)
    torch.manual_seed(0)
    with torch.no_grad():
        for block in network.blocks:
            for own, first in zip(block.parameters(), network.blocks[0].parameters(), strict=True):
                own.copy_(torch.randn(own.shape) if block is network.blocks[0] else first)
    for module in network.modules():
        if isinstance(module, Mixture):
            module.noise.value = 0.0
    return network


@pytest.mark.parametrize("name", sorted(OVER))
def test_twice_the_batch_is_the_same_value(name):
    torch.manual_seed(1)
    tokens, logits = torch.randint(50, (2, 8)), torch.randn(2, 8, 50)
    term = component(name, "loss term").example()
    if name == "TargetDropout":
        term = replace(term, prob=1e-9)  # what is drawn would differ
    network = with_alike_layers(name, 2).eval() if name != "LoadBalancing" else with_alike_layers(name, 2)
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if hasattr(module, "dropout") and isinstance(module.dropout, float):
            module.dropout = 0.0
    once, twice = (term(outputs(network, tokens.repeat(n, 1), logits.repeat(n, 1, 1))).item() for n in (1, 2))
    assert twice == pytest.approx(once, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(("name", "factor"), [("LoadBalancing", 3.0), ("HeadDiversity", 1.0)])
def test_three_times_the_layers_are_three_times_the_sum_and_the_same_mean(name, factor):
    """Routers see other states in each layer, so that what they leave is put in by hand."""
    assert factor == {SUM: 3.0, MEAN: 1.0}[OVER[name]]
    values = []
    for num_layers in (2, 6):
        network = with_alike_layers(name, num_layers)
        tokens = torch.randint(50, (2, 8))
        seen = outputs(network, tokens, torch.randn(2, 8, 50))
        network.balances = [torch.tensor(1.25) for _ in network.balances]
        values.append(component(name, "loss term").example()(seen).item())
    assert values[1] == pytest.approx(factor * values[0], rel=1e-5) and values[0] > 0
