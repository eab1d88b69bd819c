from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.models.attention.output_gate import OutputGate
from trainable.models.nanochat import Nanochat
from trainable.models.parts import Place

PLACE = Place(index=0, num_layers=1, dim=12, num_heads=3, num_kv_heads=3, vocab_size=10)


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_each_channel_is_multiplied_by_its_gate(scale):
    gate = OutputGate(scale=scale).build(PLACE).double()
    torch.nn.init.normal_(gate.gate.weight)
    y, x = torch.randn(2, 5, 3, 4).double(), torch.randn(2, 5, 12).double()
    expected = y.reshape(2, 5, 12) * scale / (1 + (-(x @ gate.gate.weight.T)).exp())
    torch.testing.assert_close(gate(y, y, x).reshape(2, 5, 12), expected)


def test_a_gate_of_scale_two_starts_open():
    y = torch.randn(1, 5, 3, 4)
    assert torch.equal(OutputGate(scale=2.0).build(PLACE)(y, y, torch.randn(1, 5, 12)), y)


def test_a_layer_grows_by_the_square_of_its_width():
    plain = Nanochat(num_layers=4, aspect_ratio=32, head_dim=32)
    gated = replace(plain, attention=(OutputGate(scale=1.0),))
    size = [sum(p.numel() for p in model.build(256, 16).parameters()) for model in (plain, gated)]
    assert size[1] - size[0] == 4 * 128**2
    assert gated.flops_per_token(256, 16) - plain.flops_per_token(256, 16) == 6 * 4 * 128**2
