from __future__ import annotations

import numpy as np
import pytest
import torch

from trainable.hooks.thermal_vent import ThermalVent


def vented(step, gradients) -> set[int]:
    """The blocks whose gradients doubled, all others having stayed."""
    before = gradients(step)
    ThermalVent(gain=1.0, layers=2).after_backward(step, {})
    found = set()
    for i, (old, new) in enumerate(zip(before, gradients(step), strict=True)):
        if not np.array_equal(old[0], new[0]):
            found.add(i)
        for g, h in zip(old, new, strict=True):
            np.testing.assert_allclose(h, (2 if i in found else 1) * g, rtol=1e-6)
    return found


def test_two_blocks_are_heated_and_others_at_the_next_step(make_step, gradients):
    step = make_step(num_layers=6, index=11)
    draws = [vented(step, gradients) for _ in range(12)]
    assert all(len(draw) == 2 for draw in draws)
    assert set.union(*draws) == set(range(6))


@pytest.mark.parametrize(("index", "acts"), [(0, False), (10, False), (11, True)])
def test_it_begins_after_step_ten(index, acts, make_step, gradients):
    assert bool(vented(make_step(index=index), gradients)) is acts


def test_without_a_gain_it_draws_nothing(make_step):
    step = make_step(index=11)
    before = step.generator.get_state()
    ThermalVent(gain=0.0).after_backward(step, {})
    assert torch.equal(before, step.generator.get_state())


def test_more_vents_than_blocks_are_refused_at_the_start(make_step):
    network = make_step().network
    with pytest.raises(ValueError, match=r"ThermalVent\.layers is 3 but must be at most the number of blocks, 2"):
        ThermalVent(gain=1.0, layers=3).start(network)
    assert ThermalVent(gain=1.0).start(network) == ThermalVent(layers=3).start(network) == {}


def test_its_ranges():
    for wrong in ({"gain": -0.1}, {"layers": 0}, {"after_step": -2}):
        with pytest.raises(ValueError, match=r"ThermalVent\..* but must be"):
            ThermalVent(**wrong)
