from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from torch import Tensor

import search_spaces
from search_spaces import recorded
from trainable.losses.load_balancing import LoadBalancing
from trainable.losses.loss_term import Outputs
from trainable.networks.mixture_of_experts import Mixture


def published_balance(router_logits: Tensor, top_k: int) -> Tensor:
    """One layer's term by the speedrun's formula (5-dollar-llm at 60cc718), before its weight.

    The share of each expert counts assignments, top_k a token; probabilities are of all experts, by the noisy logits.
    """
    experts = router_logits.size(-1)
    chosen = router_logits.topk(top_k, dim=-1).indices.flatten()
    counted = torch.bincount(chosen, minlength=experts).to(router_logits.dtype)
    probability = router_logits.exp() / router_logits.exp().sum(-1, keepdim=True)
    return experts * (counted / counted.sum() * probability.flatten(0, -2).mean(0)).sum()


@pytest.mark.parametrize("layers", [2, 5])
@pytest.mark.parametrize("over", ["sum", "mean"])
def test_term_and_gradient_are_the_published_ones_summed_over_layers(layers, over):
    network = replace(LoadBalancing.needs["model"], num_layers=layers, dropout=0.0).build(50, 8).double()
    mixtures = [m for m in network.modules() if isinstance(m, Mixture)]
    seen: list[Tensor] = []
    for mixture in mixtures:
        mixture.noise.value = 0.0
        mixture.router.register_forward_hook(lambda module, inputs, output: seen.append(output))
    network.hidden(torch.randint(50, (3, 8)))
    nothing, routers = torch.zeros(()), [m.router.weight for m in mixtures]
    found = LoadBalancing(weight=0.01, over_layers=over)(Outputs(network, nothing, nothing, nothing, nothing))
    published = sum(published_balance(logits, 2) for logits in seen)
    expected = published if over == "sum" else published / layers
    assert len(seen) == layers
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)  # the term is computed in fp32
    for ours, theirs in zip(
        *(torch.autograd.grad(x, routers, retain_graph=True) for x in (found, expected)), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=2e-8)  # as the sum in fp32


def test_the_sum_is_the_default_as_in_both_recorded_rows_and_a_mean_is_another_config():
    assert LoadBalancing().over_layers == "sum"
    space = search_spaces.load("speedrun")
    for row, reading in itertools.product(("moe", "moe-zero-init"), recorded.READINGS):
        (term,) = recorded.resolve(space, row, reading).losses
        assert term == LoadBalancing(weight=0.01, over_layers="sum")
    with pytest.raises(ValueError, match=r"over_layers is 'sums' but must be one of sum, mean: did you mean 'sum'"):
        LoadBalancing(over_layers="sums")


def test_a_model_without_experts_has_no_balance(tiny, run_to_end):
    with pytest.raises(ValueError, match="needs experts: --set model=Blueberry"):
        run_to_end(replace(tiny, losses=(LoadBalancing(weight=0.1),)))
