from __future__ import annotations

import pytest
import torch

from trainable.hooks.weight_decay_ramp import WeightDecayRamp
from trainable.schedules import Tidal


def test_tensors_shrink_by_target_times_progress_times_multiplier_and_vectors_do_not(make_step):
    step, untouched = make_step(progress=0.5, multiplier=0.8), make_step()
    WeightDecayRamp(target=0.1).after_backward(step, {})
    for p, q in zip(step.parameters(), untouched.parameters(), strict=True):
        torch.testing.assert_close(p, q * 0.96 if p.ndim >= 2 else q)


@pytest.mark.parametrize(("target", "steps", "recorded"), [(0.01, 265, 0.50), (0.04, 276, 0.05)])
def test_over_the_campaigns_runs_the_weights_shrink_as_much_as_its_notes_say(target, steps, recorded, make_step):
    """Runs G3 and H4, tidal over a horizon of 400 steps: the rate has no part in it."""
    step, untouched, hook = make_step(), make_step(), WeightDecayRamp(target=target)
    for index in range(steps):
        step.progress, step.multiplier = index / 400, Tidal()(index / 400)
        hook.after_backward(step, {})
    kept = step.network.embedding.weight.norm() / untouched.network.embedding.weight.norm()
    assert kept.item() == pytest.approx(recorded, abs=0.03)


def test_its_range():
    for target in (1.0, -0.1):
        with pytest.raises(ValueError, match=r"WeightDecayRamp.target is .* but must be in \[0, 1\)"):
            WeightDecayRamp(target=target)
