from __future__ import annotations

import pytest
import torch

from trainable.hooks.weight_perturbation import WeightPerturbation


def test_noise_is_scaled_by_the_mean_size_of_each_tensor(make_step):
    step, untouched = make_step(index=100), make_step()
    WeightPerturbation(scale=0.1).after_backward(step, {})
    for p, q in zip(step.parameters(), untouched.parameters(), strict=True):
        if p.ndim < 2:
            assert torch.equal(p, q)
        elif p.numel() > 1000:
            noise = (p - q) / (0.1 * q.abs().mean())
            assert noise.mean().item() == pytest.approx(0, abs=0.15)
            assert noise.std().item() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("index", "acts"), [(0, False), (99, False), (100, True), (150, False), (200, True)])
def test_it_acts_every_so_many_steps_but_not_at_the_start(index, acts, make_step):
    step, untouched = make_step(index=index), make_step()
    WeightPerturbation(scale=0.1, every_steps=100).after_backward(step, {})
    assert torch.equal(step.network.embedding.weight, untouched.network.embedding.weight) is not acts


def test_at_scale_zero_it_draws_nothing_that_another_hook_would_miss(make_step):
    step = make_step(index=100)
    before = step.generator.get_state()
    WeightPerturbation(scale=0.0).after_backward(step, {})
    assert torch.equal(before, step.generator.get_state())


def test_its_ranges():
    for wrong in ({"scale": -0.1}, {"every_steps": 0}):
        with pytest.raises(ValueError, match=r"WeightPerturbation.* but must be"):
            WeightPerturbation(**wrong)
