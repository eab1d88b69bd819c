from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from trainable.models.blueberry import Blueberry
from trainable.models.mixture_of_experts import Experts
from trainable.optimizers import update_rule
from trainable.optimizers.muon_adam_split import MuonAdamSplit
from trainable.optimizers.newton_schulz import CubicNewtonSchulz

MODEL = Blueberry(num_layers=2, model_dim=16, num_heads=4, num_kv_heads=2)


def names_of(model: Blueberry, optimizer: MuonAdamSplit) -> dict[str, set[str]]:
    network = model.build(40, 8)
    name_of = {id(p): name for name, p in network.named_parameters()}
    return {g.name: {name_of[id(p)] for p in g.parameters} for g in optimizer.groups(network)}


@pytest.mark.parametrize("model", [MODEL, replace(MODEL, experts=Experts(num_experts=2))])
def test_muon_gets_every_matrix_whose_name_is_neither_embedding_nor_norm(model):
    found = names_of(model, MuonAdamSplit())
    network = model.build(40, 8)
    expected = {n for n, p in network.named_parameters() if p.ndim == 2 and "embedding" not in n and "norm" not in n}
    assert found["matrix"] == expected
    assert found["rest"] == {n for n, _ in network.named_parameters()} - expected


def test_an_untied_head_goes_to_muon_only_as_published():
    untied = replace(MODEL, tie_embeddings=False)
    assert "head.weight" in names_of(untied, MuonAdamSplit())["rest"]
    assert "head.weight" in names_of(untied, MuonAdamSplit(muon_head=True))["matrix"]


def test_its_two_groups_have_the_rates_and_rules_of_the_record():
    matrix, rest = MuonAdamSplit(muon_orth=CubicNewtonSchulz(steps=3)).groups(MODEL.build(40, 8))
    assert (matrix.lr, rest.lr) == (0.015, 0.001)
    assert (rest.rule.beta1, rest.rule.beta2, rest.rule.weight_decay) == (0.9, 0.999, 0.2)
    rule = matrix.rule
    assert (rule.momentum_at(0, 0.0), rule.momentum_at(50, 1.0)) == (0.95, 0.95)
    assert (
        rule.weight_decay == 0
        and rule.nesterov
        and rule.beta2 is None
        and rule.orthogonal == CubicNewtonSchulz(steps=3)
    )


def published_muon(momentum: Tensor, gradient: Tensor) -> Tensor:
    """What optimizers/muon.py takes off a matrix at rate 1, at the record and of its MoE forms; moves ``momentum``."""
    momentum.mul_(0.95).add_(0.05 * gradient)
    x = 0.05 * gradient + 0.95 * momentum
    rows, columns = x.shape
    x = (x.T if rows > columns else x) / (x.norm() + 1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return (x.T if rows > columns else x) * max(1.0, rows / columns) ** 0.5


@pytest.mark.parametrize("joined", [False, True])
def test_three_updates_are_those_of_the_published_code(joined):
    """Also where queries, keys and values are one matrix: orthogonal as a whole, and sqrt(3) times the rate."""
    torch.manual_seed(0)
    network = replace(MODEL, num_kv_heads=4, joined_qkv=joined, qk_norm=not joined).build(40, 8).double()
    optimizer = MuonAdamSplit(matrix_lr=0.02, adamw_lr=0.003)
    groups = optimizer.groups(network)
    states = update_rule.start(groups)
    expected = {name: p.detach().clone() for name, p in network.named_parameters()}
    ours = {name for name, p in network.named_parameters() if p.ndim == 2 and name != "embedding.weight"}
    assert (joined and expected["blocks.0.attention.qkv.weight"].shape == (48, 16)) or not joined
    others = {name: torch.nn.Parameter(p.clone()) for name, p in expected.items() if name not in ours}
    adam = torch.optim.AdamW(others.values(), lr=0.003, weight_decay=0.2)  # torch's betas and eps
    momenta = {name: torch.zeros_like(expected[name]) for name in ours}
    for step in range(3):
        for name, parameter in network.named_parameters():
            parameter.grad = torch.randn_like(parameter)
            if name in ours:
                expected[name] -= 0.02 * published_muon(momenta[name], parameter.grad.clone())
            else:
                others[name].grad = parameter.grad.clone()
        adam.step()
        update_rule.update(groups, states, 1.0, step)
    for name, parameter in network.named_parameters():
        wanted = expected[name] if name in ours else others[name].detach()
        torch.testing.assert_close(parameter.detach(), wanted, rtol=1e-9, atol=1e-11)


def test_the_speedrun_trains_with_it_and_resumes(tiny, run_to_end, assert_resumes_identically):
    config = replace(tiny, model=MODEL, optimizer=MuonAdamSplit(matrix_lr=0.05, adamw_lr=0.03))
    assert_resumes_identically(replace(config, budget=replace(tiny.budget, steps=3)))
    reports = run_to_end(replace(config, budget=replace(tiny.budget, steps=30)), [1]).reports
    assert reports[-1].val_loss < reports[0].val_loss - 0.2
