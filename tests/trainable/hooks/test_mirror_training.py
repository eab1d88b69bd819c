from __future__ import annotations

import pytest
import torch

from trainable.hooks.mirror_training import MirrorTraining

SPAN = torch.arange(10 * 17).view(10, 17)  # ten rows of 16 + 1 tokens


def mirrored(make_step, prob):
    step = make_step(inputs=SPAN[:, :-1].clone(), targets=SPAN[:, 1:].clone())
    MirrorTraining(prob=prob).before_forward(step, {})
    return step


def test_the_span_is_reversed_and_then_shifted(make_step):
    step = mirrored(make_step, 1.0)
    backwards = SPAN.flip(1)
    assert torch.equal(step.inputs, backwards[:, :-1]) and torch.equal(step.targets, backwards[:, 1:])


def test_no_target_has_been_read_before(make_step):
    step = mirrored(make_step, 1.0)
    for place in range(16):
        seen = step.inputs[:, : place + 1]
        assert not (seen == step.targets[:, place : place + 1]).any()


def test_each_row_is_drawn_on_its_own(make_step):
    step = mirrored(make_step, 0.5)
    forwards, backwards = step.inputs[:, 0] == SPAN[:, 0], step.inputs[:, 0] == SPAN[:, -1]
    assert (forwards ^ backwards).all() and 0 < forwards.sum() < 10
    assert torch.equal(step.targets[:, 0], torch.where(forwards, SPAN[:, 1], SPAN[:, -2]))


def test_without_a_probability_it_draws_nothing(make_step):
    step = make_step()
    before = step.generator.get_state()
    MirrorTraining(prob=0.0).before_forward(step, {})
    assert torch.equal(before, step.generator.get_state())


def test_its_range():
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match=r"MirrorTraining\.prob is .* but must be in \[0, 1\]"):
            MirrorTraining(prob=wrong)
