from __future__ import annotations

import pytest
import torch
from torch import nn

from trainable.optimizers.gradient_descent import GradientDescent


@pytest.mark.parametrize(
    "rule",
    [
        GradientDescent(),
        GradientDescent(momentum=0.9),
        GradientDescent(momentum=0.8, nesterov=True),
        GradientDescent(momentum=0.9, weight_decay=0.3),
    ],
)
def test_steps_are_the_formula_in_float64_and_those_of_torch(rule):
    ours = nn.Parameter(torch.randn(4, 3, dtype=torch.float64))
    theirs = nn.Parameter(ours.detach().clone())
    torch_sgd = torch.optim.SGD(
        [theirs], lr=0.1, momentum=rule.momentum, nesterov=rule.nesterov, weight_decay=rule.weight_decay
    )
    expected, b, state = ours.detach().clone(), torch.zeros(4, 3, dtype=torch.float64), rule.start([ours])
    for i in range(5):
        gradient = torch.randn(4, 3, dtype=torch.float64)
        g = gradient + rule.weight_decay * expected
        b = rule.momentum * b + g
        expected = expected - 0.1 * (g + rule.momentum * b if rule.nesterov else b)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        with torch.no_grad():
            rule.update([ours], state, 0.1, i)
        torch_sgd.step()
    torch.testing.assert_close(ours.detach(), expected, atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(ours.detach(), theirs.detach(), atol=1e-12, rtol=1e-12)
