from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from trainable.models.block import ParallelBlock, SandwichBlock, SequentialBlock
from trainable.models.layers.attention_recycling import AttentionRecycling


def plain_norm(x: Tensor) -> Tensor:
    return x / (x.square().mean(-1, keepdim=True) + torch.finfo(x.dtype).eps).sqrt()


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("block", [SequentialBlock(), ParallelBlock(), SandwichBlock()], ids=lambda b: type(b).__name__)
def test_each_block_attends_again_on_what_attention_left(block, mode, small, scrambled):
    network = scrambled(replace(small, block=block, layers=(AttentionRecycling(times=3),))).train(mode)
    inner, rotation = network.blocks[0], (network.cos, network.sin)
    x, x0 = torch.randn(2, 2, 7, 16).double()

    def attended(x: Tensor) -> Tensor:
        y = inner.attention(plain_norm(x), rotation)
        return inner.attn_scale * (plain_norm(y) if isinstance(block, SandwichBlock) else y)

    y = inner.resid_mix[0] * x + inner.resid_mix[1] * x0
    y = y + attended(y)
    y = y + attended(y)
    if isinstance(block, ParallelBlock):
        y = y + attended(y) + inner.mlp_scale * inner.mlp(plain_norm(y))
    else:
        y = y + attended(y)
        y = y + inner.mlp_scale * inner.mlp(plain_norm(y))
    torch.testing.assert_close(inner(x, x0, rotation), y)


def test_it_costs_what_attention_costs_and_has_no_weights(small):
    twice = replace(small, layers=(AttentionRecycling(times=2),))
    attention = 2 * 16 * 16 + 2 * 16 * 8  # q and the output projection, k and v
    pairs = 2 * 7 / 2 * 16  # q k^T and a v, over half of the 7 tokens on average
    added = twice.flops_per_token(11, 7) - small.flops_per_token(11, 7)
    assert added == 3 * 6 * (attention + pairs)
    sizes = [sum(p.numel() for p in config.build(11, 7).parameters()) for config in (small, twice)]
    assert sizes[0] == sizes[1]
