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


def test_the_average_of_bfloat16_weights_is_kept_in_fp32(make_step):
    step, hook = make_step(), WeightAverage(decay=0.999)
    step.network.embedding.to(torch.bfloat16)
    table = step.network.embedding.weight
    place = next(i for i, p in enumerate(step.parameters()) if p is table)
    state, start = hook.start(step.network), table.detach().float()
    with torch.no_grad():
        table.fill_(1.0)
    hook.after_update(step, state)
    assert state["average"][place].dtype == torch.float32
    torch.testing.assert_close(state["average"][place], 0.999 * start + 0.001)


def test_its_range():
    for decay in (1.0, -0.1):
        with pytest.raises(ValueError, match=r"WeightAverage.decay is .* but must be in \[0, 1\)"):
            WeightAverage(decay=decay)


def test_with_bias_correction_the_initial_weights_have_no_part_in_it(make_step):
    step, hook = make_step(), WeightAverage(decay=0.75, bias_correction=True)
    state, weight = hook.start(step.network), step.network.embedding.weight
    moving = 0.0
    for i, value in enumerate((3.0, -1.0, 5.0)):
        with torch.no_grad():
            weight.fill_(value)
        step.index = i
        hook.after_update(step, state)
        moving = 0.75 * moving + 0.25 * value  # from zero, then divided by the weight that it has: as Adam's mean
        corrected = moving / (1 - 0.75 ** (i + 1))
        place = next(j for j, p in enumerate(step.parameters()) if p is weight)
        torch.testing.assert_close(state["average"][place], torch.full_like(weight, corrected))
