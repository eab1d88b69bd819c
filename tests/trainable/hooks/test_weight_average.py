from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.hooks.weight_average import WeightAverage


def test_it_follows_the_weights_by_the_formula(make_step):
    step, hook = make_step(), WeightAverage(decay=0.75)
    state = hook.start(step.network)
    start = step.network.embedding.weight.detach().clone()
    expected = start.clone()
    for i in range(3):
        with torch.no_grad():
            step.network.embedding.weight.fill_(float(i))
        hook.after_update(step, state)
        expected = 0.75 * expected + 0.25 * i
    average = dict(zip([id(p) for p in step.parameters()], hook.evaluation_weights(step.network, state), strict=True))
    torch.testing.assert_close(average[id(step.network.embedding.weight)], expected)
    assert not torch.equal(expected, start)


def test_it_changes_what_is_evaluated_and_nothing_that_is_trained(tiny, run_to_end, first_difference):
    plain = run_to_end(tiny, [3])
    averaged = run_to_end(replace(tiny, hooks=(WeightAverage(decay=0.9),)), [3])
    for part in ("network", "optimizer", "generator"):
        assert first_difference(plain.numbers[part], averaged.numbers[part]) is None
    assert [r.train_loss for r in averaged.reports] == [r.train_loss for r in plain.reports]
    assert all(a.val_loss != p.val_loss for a, p in zip(averaged.reports, plain.reports, strict=True))


def test_its_range():
    for decay in (1.0, -0.1):
        with pytest.raises(ValueError, match=r"WeightAverage.decay is .* but must be in \[0, 1\)"):
            WeightAverage(decay=decay)
