from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from trainable.compiled_objective import build_objective
from trainable.hooks.sharpness_aware import SharpnessAware
from trainable.losses.target_dropout import TargetDropout
from trainable.objective import next_step
from trainable.run import Run
from trainable.runtime import Runtime


def test_the_gradient_is_taken_uphill_and_the_weights_come_back_bit_for_bit(make_step, in_float64, first_difference):
    step = make_step()
    weights = [p.detach().clone() for p in step.parameters()]
    before, slope = in_float64(step.parameters()), in_float64(p.grad for p in step.parameters())
    seen = []

    def recompute() -> torch.Tensor:
        seen.extend(in_float64(step.parameters()))
        for p in step.parameters():
            p.grad = torch.full_like(p, 7.0)
        return torch.zeros(())

    step.recompute_gradients = recompute
    SharpnessAware(radius=0.5).after_backward(step, {})
    length = np.sqrt(sum((g**2).sum() for g in slope))
    for w, g, v in zip(before, slope, seen, strict=True):
        np.testing.assert_allclose(v, w + 0.5 * g / length, rtol=1e-5, atol=1e-6)
    assert first_difference(weights, [p.detach() for p in step.parameters()]) is None
    assert all((p.grad == 7).all() for p in step.parameters())


def test_on_the_real_loss_the_draws_inside_the_network_are_the_same_both_times(tiny, dataset, first_difference):
    run = Run.start(replace(tiny, losses=(TargetDropout(prob=0.5),)), dataset, Runtime())
    for p in run.network.parameters():
        torch.nn.init.normal_(p, std=0.3)  # no zeros, which the smallest step would move
    step, _ = next_step(run, build_objective(run), 0.0)
    step.recompute_gradients()
    plain = [p.grad.clone() for p in step.parameters()]
    SharpnessAware(radius=1e-30).after_backward(step, {})  # too small to move a weight
    assert first_difference(plain, [p.grad for p in step.parameters()]) is None
    SharpnessAware(radius=0.1).after_backward(step, {})
    assert first_difference(plain, [p.grad for p in step.parameters()])


def test_a_gradient_of_zeros_points_nowhere(make_step, first_difference):
    seen = []
    step = make_step(gradients=lambda step: seen.extend(p.detach().clone() for p in step.parameters()))
    for p in step.parameters():
        p.grad.zero_()
    SharpnessAware(radius=0.1).after_backward(step, {})
    assert first_difference(seen, [p.detach() for p in step.parameters()]) is None


def test_its_range():
    with pytest.raises(ValueError, match=r"SharpnessAware\.radius is -0.1 but must be 0 or more"):
        SharpnessAware(radius=-0.1)
