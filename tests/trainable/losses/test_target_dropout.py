from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.losses.loss_term import Outputs
from trainable.losses.target_dropout import TargetDropout


def test_with_cross_entropy_it_is_the_mean_over_some_of_the_tokens(make_outputs):
    outputs = make_outputs()
    total = outputs.cross_entropy + TargetDropout(prob=0.5)(outputs)
    (gradient,) = torch.autograd.grad(total, outputs.logits)
    kept = gradient.flatten(0, 1).abs().sum(1) > 1e-12
    assert 0 < kept.sum() < 10
    assert total.item() == pytest.approx(outputs.per_token().detach()[kept].mean().item(), rel=1e-12)


def test_the_part_of_dropped_tokens_is_its_probability():
    logits = torch.zeros(1, 20_000, 2, requires_grad=True)
    outputs = Outputs(
        torch.nn.Module(), torch.zeros(()), logits, torch.zeros(1, 20_000, dtype=torch.long), torch.zeros(())
    )
    (gradient,) = torch.autograd.grad(TargetDropout(prob=0.2)(outputs), logits)
    assert (gradient == 0).float().mean().item() == pytest.approx(0.2, abs=0.02)


def test_where_every_token_is_dropped_nothing_is_left_of_the_loss():
    logits = torch.randn(1, 1, 3)
    outputs = Outputs(torch.nn.Module(), torch.zeros(()), logits, torch.zeros(1, 1, dtype=torch.long), torch.ones(()))
    values = {TargetDropout(prob=0.999)(outputs).item() for _ in range(20)}
    assert values == {-1.0}


def test_without_a_probability_it_draws_nothing(make_outputs):
    before = torch.get_rng_state()
    outputs = make_outputs()
    torch.set_rng_state(before)
    assert TargetDropout.neutral()(outputs).item() == 0
    assert torch.equal(before, torch.get_rng_state())


def test_micro_batches_draw_each_for_itself(make_outputs):
    outputs = make_outputs()
    one, other = (TargetDropout(prob=0.5)(outputs) for _ in range(2))
    assert one != other


def test_its_ranges():
    for wrong in ({"weight": 0.0}, {"prob": 1.0}, {"prob": -0.1}):
        with pytest.raises(ValueError, match=r"TargetDropout\..* but must be"):
            replace(TargetDropout(), **wrong)
