from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.models.attention.exclusive_self_attention import ExclusiveSelfAttention
from trainable.networks.attention.exclusive_self_attention import Exclusive


def test_a_head_puts_out_nothing_along_its_own_tokens_value(place):
    y, v = torch.randn(2, 5, 6, 4).double(), torch.randn(2, 5, 3, 4).double()
    found = ExclusiveSelfAttention(last_layers=1).build(place(index=2))(y, v, y)
    for row in range(2):
        for t in range(5):
            for head in range(6):
                own = v[row, t, head // 2]  # heads 0 and 1 share the first key/value head
                expected = y[row, t, head] - (y[row, t, head] @ own) / (own @ own) * own
                torch.testing.assert_close(found[row, t, head], expected)


def test_values_are_shared_as_attention_shares_them(small, scrambled, tokens):
    """The first token attends to itself alone: all that its heads put out is its own value."""
    network, seen = scrambled(replace(small, attention=(ExclusiveSelfAttention(last_layers=3),))), []
    for block in network.blocks:
        block.attention.proj.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach()))
    network.hidden(tokens)
    for y in seen:
        assert float(y[:, 0].abs().max()) < 1e-12 < 1e-3 < float(y[:, 1].abs().max())


def test_only_the_last_layers_have_it(small):
    network = replace(small, attention=(ExclusiveSelfAttention(last_layers=2),)).build(11, 7)
    assert [isinstance(b.attention.parts[0], Exclusive) for b in network.blocks] == [False, True, True]


def test_more_layers_than_there_are_are_refused(small):
    with pytest.raises(ValueError, match=r"last_layers is 4 but must be in 0..num_layers = 3"):
        replace(small, attention=(ExclusiveSelfAttention(last_layers=4),))
