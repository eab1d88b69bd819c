"""SGD over a whole network: one group at one rate, stepped as torch steps it."""

from __future__ import annotations

import copy

import pytest
import torch

from trainable.optimizers import update_rule
from trainable.optimizers.sgd import SGD


@pytest.mark.parametrize("nesterov", [False, True])
def test_a_network_goes_where_torchs_sgd_takes_it(tiny, nesterov) -> None:
    ours = tiny.model.build(260, 16)
    theirs = copy.deepcopy(ours)
    optimizer = SGD(lr=0.02, momentum=0.7, nesterov=nesterov, weight_decay=0.1)
    (group,) = groups = optimizer.groups(ours)
    assert [id(p) for p in group.parameters] == [id(p) for p in ours.parameters()] and group.name == "all"
    states = update_rule.start(groups)
    reference = torch.optim.SGD(theirs.parameters(), lr=0.02, momentum=0.7, nesterov=nesterov, weight_decay=0.1)
    for step in range(3):
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            a.grad = torch.randn(a.shape)
            b.grad = a.grad.clone()
        update_rule.update(groups, states, 1.0, step)
        reference.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b)
