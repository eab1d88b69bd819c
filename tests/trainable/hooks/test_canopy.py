from __future__ import annotations

import numpy as np
import pytest
import torch

from trainable.hooks.canopy import Canopy


def test_gradients_grow_with_depth_and_nothing_outside_the_blocks_changes(make_step, gradients):
    step = make_step(num_layers=4)
    before, outside = gradients(step), step.network.embedding.weight.grad.clone()
    Canopy(min_scale=0.3).after_backward(step, {})
    for old, new, scale in zip(before, gradients(step), (0.3, 0.3 + 0.7 / 3, 0.3 + 1.4 / 3, 1.0), strict=True):
        for g, h in zip(old, new, strict=True):
            np.testing.assert_allclose(h, scale * g, rtol=1e-6)
    assert torch.equal(step.network.embedding.weight.grad, outside)


def test_a_single_block_is_in_the_shade(make_step, gradients):
    step = make_step(num_layers=1)
    (before,) = gradients(step)
    Canopy(min_scale=0.3).after_backward(step, {})
    np.testing.assert_allclose(gradients(step)[0][0], 0.3 * before[0], rtol=1e-6)


@pytest.mark.parametrize(("index", "after", "acts"), [(0, 0, False), (1, 0, True), (10, 10, False), (0, -1, True)])
def test_it_begins_after_its_step(index, after, acts, make_step):
    step, untouched = make_step(index=index), make_step()
    Canopy(min_scale=0.3, after_step=after).after_backward(step, {})
    first, same = (next(s.network.blocks[0].parameters()).grad for s in (step, untouched))
    assert torch.equal(first, same) is not acts


def test_its_ranges():
    for wrong in ({"min_scale": 1.1}, {"min_scale": -0.1}, {"after_step": -2}):
        with pytest.raises(ValueError, match=r"Canopy\..* but must be"):
            Canopy(**wrong)
