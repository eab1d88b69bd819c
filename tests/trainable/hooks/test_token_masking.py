from __future__ import annotations

import pytest
import torch

from trainable.hooks.token_masking import TokenMasking
from trainable.models.nanochat import Nanochat


def test_a_share_of_the_inputs_is_drawn_from_the_vocabulary_and_no_target_changes(make_step):
    inputs = torch.full((64, 256), 7)
    step = make_step(inputs=inputs.clone(), targets=inputs.clone())
    TokenMasking(prob=0.15).before_forward(step, {})
    changed = step.inputs != 7
    assert changed.float().mean().item() == pytest.approx(0.15 * 259 / 260, abs=0.01)
    drawn = step.inputs[changed]
    assert drawn.min() == 0 and drawn.max() == 259 and drawn.float().mean().item() == pytest.approx(130, abs=8)
    assert torch.equal(step.targets, inputs) and step.inputs.dtype == torch.int64


def test_at_one_every_input_is_drawn_and_at_zero_none_and_nothing_is_drawn(make_step):
    step = make_step()
    before, state = step.inputs.clone(), step.generator.get_state()
    TokenMasking(prob=0.0).before_forward(step, {})
    assert torch.equal(step.inputs, before) and torch.equal(step.generator.get_state(), state)
    TokenMasking(prob=1.0).before_forward(step, {})
    assert (step.inputs != before).float().mean() > 0.9


def test_rows_that_pad_a_table_are_never_drawn(make_step):
    network = Nanochat(num_layers=2, aspect_ratio=16, head_dim=8, pad_vocab_multiple=256).build(260, 16)
    assert network.embedding.num_embeddings == 512
    inputs = torch.zeros(64, 256, dtype=torch.int64)
    step = make_step(network=network, inputs=inputs, targets=inputs)
    TokenMasking(prob=1.0).before_forward(step, {})
    assert (step.inputs.min(), step.inputs.max()) == (0, 259)


def test_its_range():
    with pytest.raises(ValueError, match=r"TokenMasking.prob is 1.1 but must be in \[0, 1\]"):
        TokenMasking(prob=1.1)
