from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from trainable.hooks.canopy import Canopy
from trainable.hooks.canopy_rates import CanopyRates
from trainable.schedules import Constant


def test_a_blocks_step_is_scaled_by_its_depth(make_step, in_float64):
    step, hook, state = make_step(num_layers=3), CanopyRates(min_scale=0.2), {}
    before = [in_float64(block) for block in step.blocks()]
    hook.after_backward(step, state)
    with torch.no_grad():
        for p in step.parameters():
            p.add_(1.5)
    hook.after_update(step, state)
    for old, new, scale in zip(before, step.blocks(), (0.2, 0.6, 1.0), strict=True):
        for w, v in zip(old, in_float64(new), strict=True):
            np.testing.assert_allclose(v, w + scale * 1.5, rtol=1e-5, atol=1e-6)
    assert state == {}


def test_unlike_the_canopy_it_slows_lower_blocks_under_muon_and_adam(tiny, run_to_end):
    def first_updates(*hooks):
        config = replace(tiny, hooks=hooks, schedule=Constant(), budget=replace(tiny.budget, steps=2))
        network = run_to_end(config).run.network
        return [block.mlp.proj.weight.norm().item() for block in network.blocks]  # zero at the start

    plain, scaled = first_updates(), first_updates(CanopyRates(min_scale=0.25))
    shaded = first_updates(Canopy(min_scale=0.25, after_step=-1))
    assert scaled[0] / plain[0] == pytest.approx(0.25, rel=0.2)
    assert shaded[0] / plain[0] == pytest.approx(1.0, rel=0.02)


def test_its_range():
    for wrong in (1.1, -0.1):
        with pytest.raises(ValueError, match=r"CanopyRates\.min_scale is .* but must be in \[0, 1\]"):
            CanopyRates(min_scale=wrong)
