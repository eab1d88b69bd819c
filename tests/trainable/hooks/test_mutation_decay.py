from __future__ import annotations

import math

import pytest
import torch

from trainable.hooks.mutation_decay import MutationDecay


@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_noise_fades_exponentially_and_is_scaled_by_the_mean_size_of_each_tensor(progress, make_step):
    step, untouched = make_step(index=21, progress=progress), make_step()
    MutationDecay(scale=0.1).after_backward(step, {})
    for p, q in zip(step.parameters(), untouched.parameters(), strict=True):
        if p.ndim < 2:
            assert torch.equal(p, q)
        elif p.numel() > 1000:
            noise = (p - q).double() / (0.1 * math.exp(-5 * progress) * q.double().abs().mean())
            assert noise.mean().item() == pytest.approx(0, abs=0.15)
            assert noise.std().item() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("index", "acts"), [(0, False), (20, False), (21, True), (22, True), (300, True)])
def test_it_acts_at_every_step_after_twenty(index, acts, make_step):
    step, untouched = make_step(index=index), make_step()
    MutationDecay(scale=0.1).after_backward(step, {})
    assert torch.equal(step.network.embedding.weight, untouched.network.embedding.weight) is not acts


def test_at_scale_zero_it_draws_nothing_that_another_hook_would_miss(make_step):
    step = make_step(index=21)
    before = step.generator.get_state()
    MutationDecay(scale=0.0).after_backward(step, {})
    assert torch.equal(before, step.generator.get_state())


def test_its_ranges():
    for wrong in ({"scale": -0.1}, {"rate": -1.0}, {"after_step": -2}):
        with pytest.raises(ValueError, match=r"MutationDecay\..* but must be"):
            MutationDecay(**wrong)
