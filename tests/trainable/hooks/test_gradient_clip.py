from __future__ import annotations

import pytest
import torch

from trainable.hooks.gradient_clip import GradientClip


def norm(step) -> float:
    return torch.cat([p.grad.flatten() for p in step.parameters()]).norm().item()


def test_a_long_gradient_is_cut_to_the_norm_in_its_own_direction(make_step):
    step, untouched = make_step(), make_step()
    GradientClip(max_norm=0.5).after_backward(step, {})
    assert norm(step) == pytest.approx(0.5, rel=1e-4)
    for p, q in zip(step.parameters(), untouched.parameters(), strict=True):
        torch.testing.assert_close(p.grad / 0.5, q.grad / norm(untouched), rtol=1e-4, atol=1e-7)


def test_a_short_gradient_is_left_alone(make_step, first_difference):
    step, untouched = make_step(), make_step()
    GradientClip(max_norm=1e6).after_backward(step, {})
    grads = [[p.grad for p in s.parameters()] for s in (step, untouched)]
    assert first_difference(*grads) is None


def test_the_norm_before_clipping_is_logged(make_step):
    step = make_step()
    before = norm(step)
    GradientClip(max_norm=0.5).after_backward(step, {})
    assert step.numbers() == {"gradient_norm": pytest.approx(before, rel=1e-4)}


def test_the_limit_is_positive():
    with pytest.raises(ValueError, match=r"GradientClip.max_norm is 0.0 but must be null or positive"):
        GradientClip(max_norm=0.0)
