from __future__ import annotations

import torch

from trainable.hooks.hook import parameters_of_blocks


def test_a_step_knows_which_parameters_belong_to_which_block(make_step):
    step = make_step(num_layers=3)
    for own, block in zip(step.blocks(), step.network.blocks, strict=True):
        assert list(map(id, own)) == list(map(id, block.parameters()))


def test_shared_parameters_belong_to_the_first_block_that_has_them(make_step):
    network = make_step(num_layers=4).network
    network.blocks[2], network.blocks[3].mlp = network.blocks[0], network.blocks[1].mlp
    first, second, fourth = parameters_of_blocks(network)
    assert len(first) == len(second) > len(fourth)
    everything = [id(p) for own in (first, second, fourth) for p in own]
    assert sorted(everything) == sorted(map(id, network.blocks.parameters()))


def test_tensors_are_the_parameters_of_two_dimensions_wherever_they_stand(make_step):
    step = make_step()
    named = {id(p): name for name, p in step.network.named_parameters()}
    names = {named[id(p)] for p in step.tensors()}
    assert {"embedding.weight", "skip_weights", "blocks.0.resid_mix", "blocks.1.mlp.proj.weight"} <= names
    assert "blocks.0.attn_scale" not in names and isinstance(step.tensors()[0], torch.nn.Parameter)
