from __future__ import annotations

import numpy as np
import pytest
import torch

from trainable.hooks.mycorrhizal import Mycorrhizal


@pytest.mark.parametrize("distance", [1, 3, 4])
def test_pairs_share_in_order_and_pass_on_what_they_got(distance, make_step, gradients):
    step = make_step(num_layers=5, index=11)
    expected = gradients(step)
    for i in range(5 - distance):
        for j in range(len(expected[i])):
            near, far = expected[i][j], expected[i + distance][j]
            expected[i][j], expected[i + distance][j] = near + 0.1 * far, far + 0.1 * near
    Mycorrhizal(alpha=0.1, distance=distance).after_backward(step, {})
    for block, wanted in zip(gradients(step), expected, strict=True):
        for g, h in zip(block, wanted, strict=True):
            np.testing.assert_allclose(g, h, rtol=1e-5, atol=1e-6)


def test_tensors_of_other_shapes_share_nothing(make_step):
    step = make_step(index=11)
    step.network.blocks[1].mlp.fc = torch.nn.Linear(32, 7, bias=False)
    step.network.blocks[1].mlp.fc.weight.grad = torch.ones(7, 32)
    Mycorrhizal(alpha=0.1, distance=1).after_backward(step, {})
    assert (step.network.blocks[1].mlp.fc.weight.grad == 1).all()


@pytest.mark.parametrize(("index", "acts"), [(0, False), (10, False), (11, True)])
def test_it_begins_after_step_ten(index, acts, make_step):
    step, untouched = make_step(num_layers=4, index=index), make_step(num_layers=4)
    Mycorrhizal(alpha=0.1).after_backward(step, {})
    first, same = (next(s.network.blocks[0].parameters()).grad for s in (step, untouched))
    assert torch.equal(first, same) is not acts


def test_a_distance_that_no_two_blocks_have_is_refused_at_the_start(make_step):
    network = make_step(num_layers=3).network
    with pytest.raises(ValueError, match=r"Mycorrhizal\.distance is 3 but must be below the number of blocks, 3"):
        Mycorrhizal(alpha=0.1).start(network)
    assert Mycorrhizal(alpha=0.1, distance=2).start(network) == Mycorrhizal().start(network) == {}


def test_its_ranges():
    for wrong in ({"alpha": -0.1}, {"distance": 0}, {"after_step": -2}):
        with pytest.raises(ValueError, match=r"Mycorrhizal\..* but must be"):
            Mycorrhizal(**wrong)
