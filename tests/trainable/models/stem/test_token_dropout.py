from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.models.stem.token_dropout import TokenDropout


def test_an_embedding_is_lost_as_a_whole_or_scaled_up(place):
    dropout = TokenDropout(prob=0.25).build(place())
    x = torch.randn(40, 50, 16)
    ratio = dropout(x, torch.zeros(40, 50)) / x
    torch.testing.assert_close(ratio, ratio[..., :1].expand_as(ratio), rtol=1e-5, atol=1e-6)
    lost = ratio[..., 0] == 0
    torch.testing.assert_close(ratio[~lost], torch.full_like(ratio[~lost], 1 / 0.75))
    assert float(lost.float().mean()) == pytest.approx(0.25, abs=0.05)


def test_nothing_is_lost_in_evaluation(place):
    dropout = TokenDropout(prob=0.9).build(place()).eval()
    x = torch.randn(3, 5, 16)
    assert torch.equal(dropout(x, torch.zeros(3, 5)), x)


def test_it_acts_behind_the_norm_and_on_what_the_blocks_mix_back_in(small, scrambled, tokens):
    network, seen = scrambled(replace(small, stem=(TokenDropout(prob=0.5),))), []
    network.blocks[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[:2]))
    network.hidden(tokens)
    x, x0 = seen[0]
    assert torch.equal(x, x0)
    lengths = x.square().mean(-1).sqrt().flatten()
    torch.testing.assert_close(lengths[lengths > 0], torch.full_like(lengths[lengths > 0], 2.0), rtol=1e-5, atol=0)
    assert 0 < int((lengths == 0).sum()) < lengths.numel()


def test_its_range():
    with pytest.raises(ValueError, match=r"TokenDropout.prob is 1.0 but must be in \[0, 1\)"):
        TokenDropout(prob=1.0)
