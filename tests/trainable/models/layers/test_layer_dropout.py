from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.models.layers.layer_dropout import LayerDropout
from trainable.networks.layers.layer_dropout import Dropped


def test_blocks_are_skipped_or_scaled_up_and_the_first_never(small, at_step):
    network = replace(small, layers=(LayerDropout(prob=0.25),)).build(11, 7)
    assert not isinstance(network.blocks[0], Dropped)
    drawn = []
    for seed in range(200):
        at_step(network, seed=seed)
        drawn.append([float(block.gate) for block in network.blocks[1:]])
    gates = torch.tensor(drawn)
    assert gates.unique().tolist() == [0.0, pytest.approx(1 / 0.75)]
    assert float((gates == 0).float().mean()) == pytest.approx(0.25, abs=0.06)
    assert not torch.equal(gates[:, 0], gates[:, 1])


@pytest.mark.parametrize("gate", [0.0, 2.0])
def test_the_gate_scales_what_a_block_adds(gate, small, scrambled, tokens):
    network, plain = scrambled(replace(small, layers=(LayerDropout(prob=0.5),))), scrambled(small)
    block, inner = network.blocks[1], plain.blocks[1]
    block.gate.fill_(gate)
    x, x0 = torch.randn(2, 2, 7, 16).double()
    rotation = (plain.cos, plain.sin)
    expected = x + gate * (inner(x, x0, rotation) - x)
    torch.testing.assert_close(block(x, x0, rotation), expected)


def test_in_evaluation_every_block_runs(small, scrambled, tokens, at_step):
    network, plain = scrambled(replace(small, layers=(LayerDropout(prob=0.9),))), scrambled(small)
    at_step(network)
    assert torch.equal(network.eval()(tokens), plain(tokens))


def test_its_range():
    with pytest.raises(ValueError, match=r"LayerDropout.prob is 1.0 but must be in \[0, 1\)"):
        LayerDropout(prob=1.0)
