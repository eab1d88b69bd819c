from __future__ import annotations

import numpy as np
import pytest
import torch

from trainable.hooks.controlled_burn import ControlledBurn


@pytest.mark.parametrize("fraction", [0.05, 0.5])
def test_what_is_below_the_quantile_of_its_tensor_becomes_zero_and_nothing_else_moves(fraction, make_step, in_float64):
    step = make_step(index=50)
    before = in_float64(step.parameters())
    ControlledBurn(fraction=fraction).after_backward(step, {})
    for old, new in zip(before, in_float64(step.parameters()), strict=True):
        size = np.abs(old)
        burnt = (old.ndim == 2) & (size < np.quantile(size, fraction))
        np.testing.assert_array_equal(new, np.where(burnt, 0, old))


def test_equal_weights_live_or_die_together(make_step):
    """The skip weights are all 1 at the start; one of them is as small as all."""
    step = make_step(index=50)
    with torch.no_grad():
        step.network.skip_weights.fill_(1.0)
    ControlledBurn(fraction=0.05).after_backward(step, {})
    assert (step.network.skip_weights == 1).all()


@pytest.mark.parametrize(
    ("index", "burns"), [(0, False), (1, False), (49, False), (50, True), (75, False), (100, True)]
)
def test_it_burns_every_so_many_steps_but_not_at_the_start(index, burns, make_step):
    step = make_step(index=index)
    ControlledBurn(fraction=0.5, every_steps=50).after_backward(step, {})
    assert (step.network.embedding.weight == 0).any().item() is burns


def test_its_ranges():
    for wrong in ({"fraction": 1.0}, {"fraction": -0.1}, {"every_steps": 0}):
        with pytest.raises(ValueError, match=r"ControlledBurn.* but must be"):
            ControlledBurn(**wrong)
