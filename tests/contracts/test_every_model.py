"""What every model promises, with every part in it; new models, MLPs and blocks are covered from their first line."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from trainable.component import components
from trainable.component_json import canonical_json, decode, encode

VOCAB, TIME = 260, 16


def variants() -> list[pytest.param]:
    found = []
    for model in components("model"):
        fields = {f.name for f in dataclasses.fields(model)}
        for kind in fields & {"mlp", "block", "init"}:
            for part in components(kind):
                found.append(pytest.param((model, {kind: part.example()}), id=f"{model.__name__}-{part.__name__}"))
        if "tie_embeddings" in fields:
            for tied in (True, False):
                found.append(pytest.param((model, {"tie_embeddings": tied}), id=f"{model.__name__}-tied={tied}"))
        found.append(pytest.param((model, {}), id=model.__name__))
    return sorted(found, key=lambda p: p.id)


@pytest.fixture(params=variants())
def model(request, shrink):
    cls, changes = request.param
    return dataclasses.replace(shrink(cls.example()), **changes)


@pytest.fixture
def network(model):
    return drawn(model)


def drawn(model):
    """As it is evaluated, with weights drawn away from their initial zeros, so that every path carries something."""
    network = model.build(VOCAB, TIME).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)
    return network


def test_logits_have_a_row_for_each_token_and_a_column_for_each_word(network):
    tokens = torch.randint(VOCAB, (3, TIME))
    assert network(tokens).shape == (3, TIME, VOCAB)
    assert network(tokens[:, :5]).shape == (3, 5, VOCAB)
    assert network.hidden(tokens).shape[:2] == (3, TIME)


def test_a_token_changes_its_own_and_later_logits_and_no_earlier_one(network):
    tokens = torch.randint(VOCAB, (2, TIME))
    for place in (0, 7, TIME - 1):
        changed = tokens.clone()
        changed[:, place] = (changed[:, place] + 1) % VOCAB
        difference = (network(changed) - network(tokens)).abs().amax(dim=-1)
        assert not difference[:, :place].any()
        assert (difference[:, place:] > 0).all()


def test_rows_of_a_batch_do_not_see_each_other(network):
    tokens = torch.randint(VOCAB, (2, TIME))
    changed = tokens.clone()
    changed[1] = torch.randint(VOCAB, (TIME,))
    assert torch.equal(network(changed)[0], network(tokens)[0])


def test_every_parameter_gets_a_finite_gradient(model):
    # of two layers the middle one is the last, and what nanochat takes back of it is undone by the norm behind
    network = drawn(dataclasses.replace(model, num_layers=3))
    tokens = torch.randint(VOCAB, (2, TIME + 1))
    logits = network(tokens[:, :-1])
    F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), f"{name} has no influence"


def test_the_fresh_model_predicts_every_token_alike_and_trains(model, tiny, run_to_end):
    config = dataclasses.replace(tiny, model=model, budget=dataclasses.replace(tiny.budget, steps=30))
    reports = run_to_end(config, milestones=[1]).reports
    uniform = torch.tensor(float(VOCAB)).log().item()
    assert reports[0].train_loss == pytest.approx(uniform, rel=0.1)
    assert reports[-1].status == "completed" and reports[-1].val_loss < reports[0].val_loss - 0.05


def test_the_same_seed_draws_the_same_weights(model, first_difference):
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append([p.detach() for p in model.build(VOCAB, TIME).parameters()])
    assert first_difference(drawn[0], drawn[1]) is None
    assert first_difference(drawn[0], drawn[2])


def test_the_config_comes_back_from_json(model):
    assert decode(encode(model)) == model
    assert canonical_json(decode(encode(model))) == canonical_json(model)


def test_a_run_resumed_from_any_step_is_bit_identical_to_the_straight_run(model, tiny, assert_resumes_identically):
    assert_resumes_identically(dataclasses.replace(tiny, model=model, budget=dataclasses.replace(tiny.budget, steps=4)))


def test_flops_grow_with_length_and_vocabulary_and_count_at_least_six_per_matrix_weight(model):
    network = model.build(VOCAB, TIME)
    inside = sum(p.numel() for p in network.blocks.parameters() if p.ndim == 2 and min(p.shape) > 2)
    assert model.flops_per_token(VOCAB, TIME) >= 6 * (inside + VOCAB * network.embedding.weight.shape[1])
    assert model.flops_per_token(VOCAB, 2 * TIME) > model.flops_per_token(VOCAB, TIME)
    assert model.flops_per_token(2 * VOCAB, TIME) > model.flops_per_token(VOCAB, TIME)
