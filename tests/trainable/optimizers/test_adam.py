from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from trainable.optimizers.adam import Adam

SHAPES = [(5,), (3, 4), (2, 3, 2)]


def step(rule: Adam, parameters: list[nn.Parameter], gradients: list[list[Tensor]], rates: list[float]) -> None:
    state = rule.start(parameters)
    for i, (of_step, lr) in enumerate(zip(gradients, rates, strict=True)):
        for parameter, gradient in zip(parameters, of_step, strict=True):
            parameter.grad = gradient.clone()
        with torch.no_grad():
            rule.update(parameters, state, lr, i)


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_steps_are_those_of_torch_adamw(weight_decay):
    ours = [nn.Parameter(torch.randn(shape)) for shape in SHAPES]
    theirs = [nn.Parameter(p.detach().clone()) for p in ours]
    gradients = [[torch.randn_like(p) for p in ours] for _ in range(6)]
    rates = [0.1, 0.05, 0.0, 0.2, 0.1, 0.01]
    step(Adam(beta1=0.8, beta2=0.9, eps=1e-6, weight_decay=weight_decay), ours, gradients, rates)
    optimizer = torch.optim.AdamW(theirs, betas=(0.8, 0.9), eps=1e-6, weight_decay=weight_decay, foreach=False)
    for of_step, lr in zip(gradients, rates, strict=True):
        optimizer.param_groups[0]["lr"] = lr
        for parameter, gradient in zip(theirs, of_step, strict=True):
            parameter.grad = gradient.clone()
        optimizer.step()
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


def test_steps_are_the_formula_in_float64():
    rule = Adam(beta1=0.9, beta2=0.95, eps=1e-3, weight_decay=0.2)
    parameter = nn.Parameter(torch.randn(7, dtype=torch.float64))
    expected = parameter.detach().clone()
    gradients = [torch.randn(7, dtype=torch.float64) for _ in range(5)]
    step(rule, [parameter], [[g] for g in gradients], [0.1] * 5)
    mean, square = torch.zeros(7, dtype=torch.float64), torch.zeros(7, dtype=torch.float64)
    for t, gradient in enumerate(gradients, start=1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.95 * square + 0.05 * gradient**2
        expected = expected * (1 - 0.1 * 0.2)
        expected = expected - 0.1 * (mean / (1 - 0.9**t)) / ((square / (1 - 0.95**t)).sqrt() + 1e-3)
    torch.testing.assert_close(parameter.detach(), expected, atol=1e-12, rtol=1e-10)


def test_the_first_step_moves_every_weight_by_the_rate_against_its_gradient():
    parameter = nn.Parameter(torch.zeros(3))
    step(Adam(), [parameter], [[torch.tensor([1e-3, -5.0, 40.0])]], [0.25])
    torch.testing.assert_close(parameter.detach(), torch.tensor([-0.25, 0.25, -0.25]), atol=1e-5, rtol=0)


def test_a_parameter_without_a_gradient_is_a_bug():
    parameter = nn.Parameter(torch.zeros(3))
    rule = Adam()
    with pytest.raises(AssertionError, match="no gradient"):
        rule.update([parameter], rule.start([parameter]), 0.1, 0)
