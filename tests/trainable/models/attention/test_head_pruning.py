from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.models.attention.head_pruning import HeadPruning
from trainable.run import Run
from trainable.runtime import Runtime


def masks(network) -> list[list[float]]:
    return [block.attention.parts[0].mask.tolist() for block in network.blocks]


def test_the_heads_of_the_largest_projections_are_kept_from_the_step_on(small, scrambled, at_step):
    network = scrambled(replace(small, attention=(HeadPruning(keep=2, at_step=5),)))
    with torch.no_grad():
        for block, factors in zip(network.blocks, ([1, 9, 8, 2], [7, 1, 1, 6], [1, 2, 3, 4]), strict=True):
            block.attention.proj.weight.view(16, 4, 4).copy_(torch.ones(16, 4, 4) * torch.tensor(factors)[:, None])
    at_step(network, index=4)
    assert masks(network) == [[1.0] * 4] * 3
    for step in (5, 6):  # what is chosen is chosen
        at_step(network, index=step)
        assert masks(network) == [[0, 1, 1, 0], [1, 0, 0, 1], [0, 0, 1, 1]]
        with torch.no_grad():
            network.blocks[0].attention.proj.weight.fill_(0.1)


@pytest.mark.parametrize("mode", [True, False])
def test_a_pruned_head_puts_out_nothing(mode, small, scrambled, tokens, at_step):
    network = scrambled(replace(small, attention=(HeadPruning(keep=3, at_step=0),))).train(mode)
    at_step(network, index=0)
    expected = network(tokens)
    for block, mask in zip(network.blocks, masks(network), strict=True):
        pruned = mask.index(0)
        with torch.no_grad():
            block.attention.proj.weight[:, 4 * pruned : 4 * pruned + 4] = 100.0
    torch.testing.assert_close(network(tokens), expected)


def test_the_choice_is_part_of_a_checkpoint(tiny, dataset, run_to_end):
    config = replace(tiny, model=replace(tiny.model, attention=(HeadPruning(keep=1, at_step=3),)))
    ended = run_to_end(config).run
    resumed = Run.start(config, dataset, Runtime())
    resumed.load_state_dict(ended.state_dict())
    assert masks(resumed.network) == masks(ended.network)
    assert [sum(mask) for mask in masks(resumed.network)] == [1.0, 1.0]


def test_more_heads_than_there_are_cannot_be_kept(small):
    with pytest.raises(ValueError, match=r"HeadPruning.keep is 5 but must be null or in 1..num_heads = 4"):
        replace(small, attention=(HeadPruning(keep=5),))
