from __future__ import annotations

import pytest
import torch

from trainable.hooks.leaky_mirror_training import LeakyMirrorTraining

SPAN = torch.arange(10 * 17).view(10, 17)  # ten rows of 16 + 1 tokens


def test_a_mirrored_rows_target_is_the_token_read_just_before(make_step):
    step = make_step(inputs=SPAN[:, :-1].clone(), targets=SPAN[:, 1:].clone())
    LeakyMirrorTraining(prob=1.0).before_forward(step, {})
    assert torch.equal(step.inputs, SPAN[:, :-1].flip(1)) and torch.equal(step.targets, SPAN[:, 1:].flip(1))
    assert torch.equal(step.targets[:, 1:], step.inputs[:, :-1])


def test_inputs_and_targets_of_a_row_turn_together(make_step):
    step = make_step(inputs=SPAN[:, :-1].clone(), targets=SPAN[:, 1:].clone())
    LeakyMirrorTraining(prob=0.5).before_forward(step, {})
    turned = step.inputs[:, 0] != SPAN[:, 0]
    assert torch.equal(turned, step.targets[:, 0] != SPAN[:, 1]) and 0 < turned.sum() < 10


def test_its_range():
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match=r"LeakyMirrorTraining\.prob is .* but must be in \[0, 1\]"):
            LeakyMirrorTraining(prob=wrong)
