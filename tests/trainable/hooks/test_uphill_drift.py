from __future__ import annotations

import numpy as np
import pytest
import torch

from trainable.hooks.uphill_drift import UphillDrift


def test_each_tensor_moves_by_the_radius_along_its_own_gradient_and_stays_there(make_step, in_float64):
    step = make_step(index=21)
    step.network.blocks[0].mlp.fc.weight.grad.mul_(1e-12)  # shorter than 1e-8: not moved
    before, slope = in_float64(step.parameters()), in_float64(p.grad for p in step.parameters())
    UphillDrift(radius=0.5).after_backward(step, {})
    for w, g, v in zip(before, slope, in_float64(step.parameters()), strict=True):
        length = np.sqrt((g**2).sum())
        wanted = w + 0.5 * g / length if w.ndim == 2 and length > 1e-8 else w
        np.testing.assert_allclose(v, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("index", "acts"), [(0, False), (20, False), (21, True)])
def test_it_begins_after_step_twenty(index, acts, make_step):
    step, untouched = make_step(index=index), make_step()
    UphillDrift(radius=0.5).after_backward(step, {})
    assert torch.equal(step.network.embedding.weight, untouched.network.embedding.weight) is not acts


def test_its_ranges():
    for wrong in ({"radius": -0.1}, {"after_step": -2}):
        with pytest.raises(ValueError, match=r"UphillDrift\..* but must be"):
            UphillDrift(**wrong)
