from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from trainable.hooks.synaptic_scaling import SynapticScaling


@pytest.mark.parametrize(("growth", "factor"), [(2.0, 0.95), (1.02, 1 / 1.02), (0.98, 1 / 0.98), (0.5, 1.05)])
@pytest.mark.parametrize("strength", [1.0, 0.4])
def test_norms_are_pulled_back_by_a_twentieth_at_most(growth, factor, strength, make_step, in_float64):
    step, hook, state = make_step(index=21), SynapticScaling(strength=strength), {}
    hook.after_backward(step, state)  # takes the norms
    with torch.no_grad():
        for p in step.parameters():
            p.mul_(growth)
    grown = in_float64(step.parameters())
    hook.after_backward(step, state)
    for w, v in zip(grown, in_float64(step.parameters()), strict=True):
        np.testing.assert_allclose(v, w * (1 + strength * (factor - 1)) if w.ndim == 2 else w, rtol=1e-5)
    assert step.multiplier == 0.8


def test_the_step_that_takes_the_norms_changes_nothing(make_step):
    step, untouched = make_step(index=21), make_step()
    SynapticScaling(strength=1.0).after_backward(step, {})
    for p, q in zip(step.parameters(), untouched.parameters(), strict=True):
        torch.testing.assert_close(p, q)


@pytest.mark.parametrize(("index", "acts"), [(0, False), (20, False), (21, True)])
def test_it_takes_the_norms_after_step_twenty(index, acts, make_step):
    state = {}
    SynapticScaling(strength=1.0).after_backward(make_step(index=index), state)
    assert bool(state) is acts


def test_as_in_the_campaign_it_may_take_over_the_rate(tiny, run_to_end):
    """NF5: from step 21 on the multiplier was the norm ratio of the last matrix."""
    hook = SynapticScaling(strength=1.0, after_step=2, takes_over_rate=True)
    reports = run_to_end(replace(tiny, hooks=(hook,)), milestones=range(1, 7)).reports
    assert [r.multiplier for r in reports[:3]] == [tiny.schedule(i / 6) for i in range(3)]
    assert reports[3].multiplier == pytest.approx(1)
    assert all(0.9499 < r.multiplier < 1.0501 for r in reports[3:])


def test_its_ranges():
    for wrong in ({"strength": 1.1}, {"strength": -0.1}, {"after_step": -2}):
        with pytest.raises(ValueError, match=r"SynapticScaling\..* but must be"):
            SynapticScaling(**wrong)
