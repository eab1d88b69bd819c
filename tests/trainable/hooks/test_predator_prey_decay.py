from __future__ import annotations

from math import pi, sin

import numpy as np
import pytest
import torch

from trainable.hooks.predator_prey_decay import PredatorPreyDecay
from trainable.schedules import Tidal


@pytest.mark.parametrize("progress", [1 / 24, 3 / 24, 0.3, 0.77, 1.0])
def test_decay_swings_against_the_rate_and_vectors_do_not_shrink(progress, make_step, in_float64):
    step = make_step(progress=progress, multiplier=0.8)
    before = in_float64(step.parameters())
    PredatorPreyDecay(decay=0.01).after_backward(step, {})
    shrink = 1 - 0.01 * (1 - 0.5 * sin(12 * pi * progress) * (1 - progress)) * 0.8
    for w, v in zip(before, in_float64(step.parameters()), strict=True):
        np.testing.assert_allclose(v, w * shrink if w.ndim == 2 else w, rtol=1e-6)


def test_at_the_very_first_step_it_rests(make_step):
    step, untouched = make_step(index=0, progress=0.0), make_step()
    PredatorPreyDecay(decay=0.01).after_backward(step, {})
    assert torch.equal(step.network.embedding.weight, untouched.network.embedding.weight)


def test_over_the_campaigns_run_the_weights_shrink_as_much_as_its_notes_say(make_step):
    """Run W10: tidal, 240 of 400 steps, 0.01: to a fifth."""
    step, untouched, hook = make_step(), make_step(), PredatorPreyDecay(decay=0.01)
    for index in range(240):
        step.index, step.progress, step.multiplier = index, index / 400, Tidal()(index / 400)
        hook.after_backward(step, {})
    kept = step.network.embedding.weight.norm() / untouched.network.embedding.weight.norm()
    assert kept.item() == pytest.approx(0.20, abs=0.03)


def test_with_a_horizon_of_its_own_the_swing_is_counted_over_those_steps_whatever_the_progress_is(
    make_step, in_float64
):
    """Run W2: 240 steps of a warmdown that ends with the run, and a swing over the script's 400 iterations."""
    hook = PredatorPreyDecay(decay=0.01, horizon_steps=400)
    step = make_step()
    expected = in_float64(step.parameters())
    for index in range(240):
        step.index, step.progress, step.multiplier = index, index / 240, 1.0 if index == 0 else (240 - index) / 1200
        hook.after_backward(step, {})
        p = index / 400
        shrink = 1 - 0.01 * (1 - 0.5 * sin(2 * pi * p * 6) * (1 - p)) * step.multiplier
        if index:
            expected = [w * shrink if w.ndim == 2 else w for w in expected]
    for w, v in zip(expected, in_float64(step.parameters()), strict=True):
        np.testing.assert_allclose(v, w, rtol=1e-4)
    later = make_step(index=500, progress=1.0, multiplier=1.0)
    untouched = in_float64(later.parameters())
    hook.after_backward(later, {})
    np.testing.assert_allclose(in_float64(later.parameters())[0], untouched[0] * 0.99, rtol=1e-6)


def test_its_ranges():
    for wrong in ({"decay": 1.0}, {"decay": -0.1}, {"cycles": 0}, {"amplitude": 1.1}, {"horizon_steps": 0}):
        with pytest.raises(ValueError, match=r"PredatorPreyDecay\..* but must be"):
            PredatorPreyDecay(**wrong)
