from __future__ import annotations

import pytest
import torch

from trainable.hooks.controlled_burn import ControlledBurn


def test_the_smallest_fraction_of_every_tensor_becomes_zero_and_nothing_else_moves(make_step):
    step = make_step(index=50)
    before = {id(p): p.detach().clone() for p in step.parameters()}
    ControlledBurn(fraction=0.05).after_backward(step, {})
    burnt = {id(p) for p in step.tensors()}
    for p in step.parameters():
        old = before[id(p)]
        if id(p) not in burnt:
            assert torch.equal(p, old)
            continue
        gone = p == 0
        assert int(gone.sum()) == int(0.05 * p.numel())
        assert torch.equal(p[~gone], old[~gone])
        if gone.any():
            assert old[gone].abs().max() < old[~gone].abs().min()


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
