from __future__ import annotations

from dataclasses import replace

import torch

from trainable.hooks.stochastic_weight_average import StochasticWeightAverage


def test_it_is_the_plain_mean_of_late_checkpoints(make_step, in_float64):
    step, hook = make_step(), StochasticWeightAverage(start_frac=0.5, every_steps=3)
    state, taken = hook.start(step.network), []
    for index in range(20):
        step.index, step.progress = index, index / 20
        with torch.no_grad():
            for p in step.parameters():
                p.normal_()
        hook.after_update(step, state)
        if index in (11, 14, 17):  # updates 12, 15 and 18, of the second half
            taken.append(in_float64(step.parameters()))
        assert (hook.evaluation_weights(step.network, state) is None) == (not taken)
    for found, *copies in zip(hook.evaluation_weights(step.network, state), *taken, strict=True):
        torch.testing.assert_close(found.double(), torch.from_numpy(sum(copies) / 3), atol=1e-6, rtol=1e-6)


def test_it_changes_what_is_evaluated_late_and_nothing_that_is_trained(tiny, run_to_end, first_difference):
    plain = run_to_end(tiny, [2])
    averaged = run_to_end(replace(tiny, hooks=(StochasticWeightAverage(start_frac=0.4, every_steps=1),)), [2])
    assert first_difference(plain.numbers["network"], averaged.numbers["network"]) is None
    assert averaged.reports[0].val_loss == plain.reports[0].val_loss
    assert averaged.last.val_loss != plain.last.val_loss


def test_the_average_of_bfloat16_weights_is_kept_in_fp32(make_step):
    step, hook = make_step(index=0), StochasticWeightAverage(start_frac=0.0, every_steps=1)
    step.network.embedding.to(torch.bfloat16)
    state = hook.start(step.network)
    for value in (1.0, 1.0078125):  # neighbours in bfloat16
        with torch.no_grad():
            step.network.embedding.weight.fill_(value)
        hook.after_update(step, state)
    average = hook.evaluation_weights(step.network, state)
    place = next(i for i, p in enumerate(step.parameters()) if p is step.network.embedding.weight)
    assert (average[place] == 1.00390625).all()
