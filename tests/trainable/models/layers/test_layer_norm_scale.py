from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.models.layers.layer_norm_scale import LayerNormScale


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_deep_layers_see_smaller_inputs(power, small, scrambled, tokens):
    network = scrambled(replace(small, layers=(LayerNormScale(power=power),)))
    seen = {}
    for i, block in enumerate(network.blocks):
        for sublayer in (block.attention, block.mlp):
            sublayer.sublayer.register_forward_pre_hook(lambda m, inputs, i=i: seen.setdefault(i, []).append(inputs[0]))
    network.hidden(tokens)
    for i in range(3):
        lengths = [x.square().mean(-1).sqrt() for x in seen[i]]
        assert len(lengths) == 2
        for length in lengths:
            torch.testing.assert_close(length, torch.full_like(length, (i + 1) ** -power), rtol=1e-4, atol=0)


def test_its_range():
    with pytest.raises(ValueError, match=r"LayerNormScale.power is 2.0 but must be in \[0, 1\]"):
        LayerNormScale(power=2.0)
