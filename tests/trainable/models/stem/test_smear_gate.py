from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from trainable.models.stem.smear_gate import SmearGate
from trainable.run import Run
from trainable.runtime import Runtime


def test_each_token_takes_its_share_of_the_one_before_it_within_its_document(place):
    smear = SmearGate(init=0.25).build(place()).double()
    smear.starts_document[3] = True
    with torch.no_grad():
        smear.gate.copy_(torch.linspace(-2, 2, 16))
    tokens, x = torch.tensor([[1, 2, 3, 4, 3, 0]]), torch.randn(1, 6, 16).double()
    expected = x.clone()
    for t in (1, 3, 5):  # 2 and 4 start documents
        for c in range(16):
            g = 1 / (1 + math.exp(-smear.gate[c].item()))
            expected[0, t, c] = (1 - g) * x[0, t, c] + g * x[0, t - 1, c]
    torch.testing.assert_close(smear(x, tokens), expected)


def test_every_channel_starts_at_the_given_share(place):
    torch.testing.assert_close(SmearGate(init=0.1).build(place()).gate.sigmoid(), torch.full((16,), 0.1))


def test_a_run_tells_it_where_documents_start(tiny, dataset):
    config = replace(tiny, model=replace(tiny.model, stem=(SmearGate.example(),)))
    (smear,) = Run.start(config, dataset, Runtime()).network.normed_stem.parts
    assert smear.starts_document.nonzero().flatten().tolist() == [259]


def test_its_range():
    with pytest.raises(ValueError, match=r"SmearGate.init is 1.0 but must be in \[0, 1\)"):
        SmearGate(init=1.0)
