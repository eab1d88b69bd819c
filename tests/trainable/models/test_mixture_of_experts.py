from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.losses.load_balancing import LoadBalancing
from trainable.models.mixture_of_experts import Experts
from trainable.models.mlp import Silu
from trainable.networks.mixture_of_experts import Mixture
from trainable.runtime import Runtime

MOE = LoadBalancing.needs["model"]


def mixture(experts: Experts, dim: int = 12) -> Mixture:
    made = Mixture(experts, dim, [Silu().build(dim, 2.0) for _ in range(experts.num_experts)])
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return made.double()


@pytest.mark.parametrize("top_k", [1, 2, 5])
def test_a_token_gets_the_weighted_sum_of_its_best_experts(top_k):
    part = mixture(Experts(num_experts=5, top_k=top_k)).eval()
    x = torch.randn(2, 6, 12).double()
    found, balance = part(x)
    assert balance is None, "only training asks for it"
    for b in range(2):
        for t in range(6):
            scores = {i: (part.router.weight[i] @ x[b, t]).item() for i in range(5)}
            best = sorted(scores, key=scores.get)[-top_k:]
            weights = torch.tensor([scores[i] for i in best]).double().softmax(0)
            expected = 0
            for weight, i in zip(weights, best, strict=True):
                h = part.experts[i].fc.weight @ x[b, t]
                expected = expected + weight * part.experts[i].proj.weight @ (h / (1 + (-h).exp()))
            torch.testing.assert_close(found[b, t], expected, atol=1e-6, rtol=1e-5)  # weights are fp32


def test_balance_is_the_sum_over_experts_of_share_times_mean_probability():
    part = mixture(Experts(num_experts=4, top_k=2, router_noise=0.0)).train()
    x = torch.randn(3, 5, 12).double()
    _, balance = part(x)
    scores = (x @ part.router.weight.T).flatten(0, 1).detach()
    counts = torch.zeros(4).double()
    for row in scores:
        for i in row.argsort()[-2:]:
            counts[i] += 1
    probability = (scores - scores.logsumexp(-1, keepdim=True)).exp().mean(0)
    expected = 4 * sum(float(c) / 30 * float(p) for c, p in zip(counts, probability, strict=True))
    assert balance.item() == pytest.approx(expected)
    balance.backward()
    assert part.router.weight.grad.any()


def test_balance_is_one_where_all_are_used_alike_and_the_number_of_experts_where_one_is():
    part = mixture(Experts(num_experts=4, top_k=1, router_noise=0.0), dim=4).train()
    with torch.no_grad():
        part.router.weight.copy_(50 * torch.eye(4))
    for x, expected in ((torch.eye(4), 1.0), (torch.eye(4)[:1].expand(4, -1), 4.0)):
        _, balance = part(x[None].double())
        assert balance.item() == pytest.approx(expected)


def test_noise_moves_the_choice_in_training_only():
    part = mixture(Experts(num_experts=8, router_noise=5.0))
    x = torch.randn(1, 16, 12).double()
    assert not torch.equal(part.train()(x)[0], part(x)[0])
    assert torch.equal(part.eval()(x)[0], part(x)[0])


def test_a_token_is_routed_by_itself():
    network = replace(MOE, dropout=0.0).build(50, 8).eval()
    tokens = torch.randint(50, (1, 8))
    changed = tokens.clone()
    changed[0, 5] = (changed[0, 5] + 1) % 50
    difference = (network(tokens) - network(changed)).abs().amax(-1)[0]
    assert not difference[:5].any() and difference[5] > 0


def test_a_mixture_trains_in_one_graph_and_resumes(tiny, run_to_end, assert_resumes_identically, counting_compiler):
    losses = (LoadBalancing(weight=0.01),)
    config = replace(tiny, model=MOE, losses=losses, budget=replace(tiny.budget, steps=3))
    assert_resumes_identically(config)
    assert run_to_end(config, runtime=Runtime(compile=True)).last.status == "completed"
    assert counting_compiler.frame_count == 2  # the step, and the evaluation


def test_all_experts_count_as_arithmetic():
    assert Experts(num_experts=3).num_matrix_weights(Silu(), 8, 2.0) == 3 * (2 * 8 * 16 + 8)
