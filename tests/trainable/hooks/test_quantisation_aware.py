from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from trainable.hooks.quantisation_aware import QuantisationAware, block_matrices, quantised
from trainable.hooks.weight_average import WeightAverage
from trainable.runtime import Runtime
from trainable.schedules import Tidal


@pytest.mark.parametrize("bits", [4, 5, 6, 8])
def test_each_row_has_its_own_grid(bits):
    w = torch.randn(5, 40) * torch.tensor([1e-6, 1.0, 100.0, 0.0, 0.1])[:, None]
    found = quantised(w, bits).double().numpy()
    for row, values in zip(w.double().numpy(), found, strict=True):
        step = np.abs(row).max() / (2 ** (bits - 1) - 1)
        assert len(np.unique(values)) <= 2**bits - 1
        assert np.abs(values - row).max() <= step / 2 * 1.001
        if step:
            np.testing.assert_allclose(values / step, np.round(row / step), atol=1e-4)


def test_gradients_are_those_at_the_grid_and_weights_come_back_as_they_were(make_step):
    step, hook = make_step(), QuantisationAware(bits=5)
    state = hook.start(step.network)
    before = [p.detach().clone() for p in step.parameters()]
    hook.before_forward(step, state)
    matrices = {id(w) for w in block_matrices(step.network)}
    assert len(matrices) == 2 * 6
    for p, kept in zip(step.parameters(), before, strict=True):
        assert torch.equal(p, quantised(kept, 5) if id(p) in matrices else kept)
        assert not (id(p) in matrices and torch.equal(p, kept))
    hook.after_backward(step, state)
    assert all(torch.equal(p, kept) for p, kept in zip(step.parameters(), before, strict=True))


def test_it_starts_late_and_says_since_when(tiny, run_to_end, first_difference):
    config = replace(tiny, hooks=(QuantisationAware(bits=4, start_frac=0.5),))
    plain, quantising = run_to_end(tiny, range(1, 7)).reports, run_to_end(config, range(1, 7)).reports
    assert [r.val_loss for r in quantising][:3] == [r.val_loss for r in plain][:3]
    assert all(a.val_loss != b.val_loss for a, b in zip(quantising[3:], plain[3:], strict=True))
    assert [r.logged.get("quantised_since_step") for r in quantising] == [None, None, None, 3.0, 3.0, 3.0]


def test_it_may_wait_for_a_low_rate_and_then_stays(make_step):
    hook, schedule = QuantisationAware(bits=6, start_frac=0.4, max_multiplier=0.15), Tidal()
    step = make_step()
    state = hook.start(step.network)
    since = []
    for index in range(101):
        step.index, step.progress, step.multiplier = index, index / 100, schedule(index / 100)
        if index == 99:
            step.multiplier = 1.0
        hook.before_forward(step, state)
        hook.after_backward(step, state)
        since.append(state["since_step"])
    first = next(i for i in range(40, 101) if schedule(i / 100) <= 0.15)  # not the low rates of the warmup
    assert since == [-1] * first + [first] * (101 - first)


def test_what_is_evaluated_is_quantised(make_step):
    step, hook = make_step(), QuantisationAware(bits=4)
    state = hook.start(step.network)
    assert hook.evaluation_weights(step.network, state) is None
    hook.before_forward(step, state)
    hook.after_backward(step, state)
    matrices = {id(w) for w in block_matrices(step.network)}
    for p, found in zip(step.parameters(), hook.evaluation_weights(step.network, state), strict=True):
        assert torch.equal(found, quantised(p, 4) if id(p) in matrices else p)


def test_it_trains_in_one_graph_though_it_starts_late(tiny, run_to_end, counting_compiler):
    config = replace(tiny, hooks=(QuantisationAware(bits=6, start_frac=0.5), WeightAverage(decay=0.5)))
    run_to_end(config, [2, 4], runtime=Runtime(compile=True))
    assert counting_compiler.frame_count == 2  # the step, and the evaluation


def test_bits_that_no_export_knows_are_refused():
    with pytest.raises(ValueError, match=r"QuantisationAware.bits is 3 but must be null or in 4..8"):
        QuantisationAware(bits=3)
