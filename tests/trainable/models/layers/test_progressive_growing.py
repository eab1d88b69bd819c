from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.models.layers.progressive_growing import ProgressiveGrowing
from trainable.networks.layers.progressive_growing import Grown


def test_layers_come_one_by_one_at_their_steps(at_step, small):
    network = replace(small, num_layers=6, layers=(ProgressiveGrowing(start_layers=3, every_steps=60),)).build(11, 7)
    for step, expected in ((0, 3), (59, 3), (60, 4), (119, 4), (120, 5), (180, 6), (10_000, 6)):
        at_step(network, index=step)
        running = [not isinstance(block, Grown) or float(block.gate) == 1 for block in network.blocks]
        assert running == [True] * expected + [False] * (6 - expected)


def test_a_new_layer_changes_nothing_at_first(small, tokens, at_step):
    network = replace(small, num_layers=4, layers=(ProgressiveGrowing(start_layers=1, every_steps=1),)).build(11, 7)
    with torch.no_grad():
        network.blocks[0].mlp.proj.weight.normal_()
    found = []
    for step in range(4):
        at_step(network, index=step)
        found.append(network(tokens))
    for later in found[1:]:
        torch.testing.assert_close(later, found[0])


def test_a_waiting_layer_has_no_influence_and_learns_nothing(small, scrambled, tokens, at_step):
    network = scrambled(replace(small, layers=(ProgressiveGrowing(start_layers=2, every_steps=5),)))
    at_step(network, index=4)
    before = network(tokens)
    before.square().sum().backward()
    assert not any(p.grad.any() for p in network.blocks[2].parameters())
    assert all(p.grad.any() for p in network.blocks[1].parameters())
    with torch.no_grad():
        network.blocks[2].block.mlp.fc.weight.zero_()
    assert torch.equal(network(tokens), before)


def test_evaluation_has_the_layers_that_run(small, scrambled, tokens, at_step):
    network, plain = scrambled(replace(small, layers=(ProgressiveGrowing(start_layers=2),))), scrambled(small)
    at_step(network, index=0)
    assert not torch.equal(network.eval()(tokens), plain(tokens))
    at_step(network, index=60)
    assert torch.equal(network.eval()(tokens), plain(tokens))


def test_starting_with_all_layers_is_bit_identical_to_absent(tiny, run_to_end, first_difference):
    whole = replace(tiny, model=replace(tiny.model, layers=(ProgressiveGrowing(start_layers=2),)))
    assert first_difference(run_to_end(tiny).numbers, run_to_end(whole).numbers) is None


def test_more_layers_than_there_are_cannot_be_the_start(small):
    with pytest.raises(ValueError, match=r"start_layers is 4 but must be null or in 1..num_layers = 3"):
        replace(small, layers=(ProgressiveGrowing(start_layers=4),))
