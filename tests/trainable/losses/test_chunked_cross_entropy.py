from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from trainable.component_paths import with_value
from trainable.config import Budget
from trainable.losses.chunked_cross_entropy import chunked_cross_entropy
from trainable.losses.z_loss import ZLoss
from trainable.runtime import Runtime


@pytest.mark.parametrize("chunks", [2, 3, 5])
def test_loss_and_gradients_are_those_of_the_whole(chunks, tiny):
    network = tiny.model.build(50, 9).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    tokens, targets = torch.randint(50, (2, 9)), torch.randint(50, (2, 9))
    found = []
    for pieces in (1, chunks):
        hidden = network.hidden(tokens)
        whole = F.cross_entropy(network.logits(hidden).flatten(0, 1), targets.flatten())
        loss = whole if pieces == 1 else chunked_cross_entropy(network, hidden, targets, pieces)
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        found.append([loss.double(), *gradients])
    torch.testing.assert_close(found[0], found[1], atol=1e-6, rtol=1e-5)  # the pieces are scored in fp32


def test_a_run_in_pieces_ends_where_the_whole_one_does_and_is_one_graph(tiny, run_to_end, counting_compiler):
    whole, pieces = run_to_end(tiny).last, run_to_end(replace(tiny, loss_chunks=4)).last
    assert pieces.val_loss == pytest.approx(whole.val_loss, rel=1e-4)
    config = replace(tiny, loss_chunks=4, budget=Budget(steps=2))
    compiled = run_to_end(config, runtime=Runtime(compile=True)).last
    assert counting_compiler.frame_count == 2  # the step, and the evaluation
    assert compiled.val_loss == pytest.approx(run_to_end(replace(config, loss_chunks=1)).last.val_loss, rel=1e-4)


def test_pieces_and_terms_that_see_all_logits_exclude_each_other(tiny):
    with pytest.raises(ValueError, match="loss_chunks is 4 but must be 1 with loss terms"):
        with_value(replace(tiny, loss_chunks=4), "losses.ZLoss", ZLoss(weight=0.1))
