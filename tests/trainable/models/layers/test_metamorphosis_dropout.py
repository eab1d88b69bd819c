from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.models.layers.metamorphosis_dropout import MetamorphosisDropout
from trainable.networks.layers.metamorphosis_dropout import FadingDropout


@pytest.mark.parametrize(("progress", "prob"), [(0.0, 0.1), (0.25, 0.05), (0.4, 0.02), (0.5, 0.0), (1.0, 0.0)])
def test_the_probability_fades_away(progress, prob, small, at_step):
    network = replace(small, layers=(MetamorphosisDropout(start=0.1, end_frac=0.5),)).build(11, 7)
    at_step(network, progress=progress)
    found = [float(m.prob) for m in network.modules() if isinstance(m, FadingDropout)]
    assert found == [pytest.approx(prob, abs=1e-8)] * 6  # attention and MLP of three layers


def test_elements_of_what_a_sublayer_puts_out_are_lost_or_scaled_up(small, at_step):
    network = replace(small, layers=(MetamorphosisDropout(start=0.4, end_frac=1.0),)).build(11, 7)
    at_step(network, progress=0.5)  # p = 0.2
    dropout = network.blocks[0].mlp
    with torch.no_grad():
        dropout.sublayer.proj.weight.normal_()
    x = torch.randn(50, 40, 16)
    ratio = dropout(x) / dropout.sublayer(x)
    kept = ratio != 0
    torch.testing.assert_close(ratio[kept], torch.full_like(ratio[kept], 1.25))
    assert float(kept.float().mean()) == pytest.approx(0.8, abs=0.01)
    assert not torch.equal(dropout(x), dropout(x))


def test_after_its_end_and_in_evaluation_it_does_nothing(small, scrambled, tokens, at_step):
    network, plain = scrambled(replace(small, layers=(MetamorphosisDropout(start=0.4),))), scrambled(small)
    at_step(network, progress=0.0)
    assert torch.equal(network.eval()(tokens), plain(tokens))
    assert not torch.equal(network.train()(tokens), plain(tokens))
    at_step(network, progress=0.5)
    assert torch.equal(network(tokens), plain(tokens))


def test_its_range():
    with pytest.raises(ValueError, match=r"MetamorphosisDropout.end_frac is 0.0 but must be in \(0, 1\]"):
        MetamorphosisDropout(end_frac=0.0)
