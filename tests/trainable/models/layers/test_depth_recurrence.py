from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.models.layers.depth_recurrence import DepthRecurrence


def looped(small, **changes):
    usual = {"first": 1, "last": 2, "times": 3, "start_frac": 0.5}
    return replace(small, num_layers=4, encoder_layers=0, layers=(DepthRecurrence(**{**usual, **changes}),))


def test_the_middle_runs_again_from_its_start_on(small, scrambled, tokens, at_step):
    network, plain = scrambled(looped(small)), scrambled(looped(small, times=1))
    at_step(network, progress=0.499)
    assert torch.equal(network.hidden(tokens), plain.hidden(tokens))
    at_step(network, progress=0.5)
    order = [0, 1, 2, 1, 2, 1, 2, 3]
    x0 = x = torch.nn.functional.rms_norm(plain.embedding(tokens), (16,))
    for i in order:
        x = plain.blocks[i](x, x0, (plain.cos, plain.sin))
    expected = torch.nn.functional.rms_norm(x, (16,))
    for mode in (True, False):
        torch.testing.assert_close(network.train(mode).hidden(tokens), expected)


def test_one_that_never_starts_is_bit_identical_to_absent(tiny, run_to_end, first_difference):
    part = DepthRecurrence(first=0, last=1, times=2, start_frac=1.0)
    never = run_to_end(replace(tiny, model=replace(tiny.model, layers=(part,)))).numbers
    absent = run_to_end(tiny).numbers
    for name in ("network", "optimizer", "generator"):
        assert first_difference(absent[name], never[name]) is None
    assert absent["report"]["val_loss"] == never["report"]["val_loss"]


def test_its_cost_is_that_of_the_passes(small):
    one_layer = replace(small, num_layers=1)
    layer = replace(small, num_layers=2).flops_per_token(11, 7) - one_layer.flops_per_token(11, 7)
    added = looped(small).flops_per_token(11, 7) - looped(small, times=1).flops_per_token(11, 7)
    assert added == 2 * 2 * layer


def test_a_network_has_its_weights_once(small):
    sizes = [sum(p.numel() for p in looped(small, times=n).build(11, 7).parameters()) for n in (1, 3)]
    assert sizes[0] == sizes[1]


def test_layers_that_are_not_there_are_refused(small):
    with pytest.raises(ValueError, match=r"DepthRecurrence.last is 4 but must be below num_layers = 4"):
        looped(small, last=4)
    with pytest.raises(ValueError, match=r"DepthRecurrence.last is 1 but must be first = 2 or more"):
        DepthRecurrence(first=2, last=1)
