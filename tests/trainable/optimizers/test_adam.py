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


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_a_parameter_in_bfloat16_takes_the_steps_of_float32_each_rounded_once(weight_decay):
    rule = Adam(beta2=0.999, weight_decay=weight_decay)
    half, other = nn.Parameter(torch.randn(5, 3).bfloat16()), nn.Parameter(torch.randn(4))
    exact = nn.Parameter(half.detach().float())
    states = rule.start([half, other]), rule.start([exact])
    assert [moment.dtype for moment in states[0]["square"]] == [torch.float32, torch.float32]
    for index in range(4):
        half.grad, other.grad = torch.randn(5, 3).bfloat16(), torch.randn(4)
        exact.grad = half.grad.float()
        with torch.no_grad():
            rule.update([half, other], states[0], 0.1, index)
            rule.update([exact], states[1], 0.1, index)
            exact.copy_(exact.bfloat16())
        assert torch.equal(half.float(), exact)
    assert torch.equal(states[0]["square"][0], states[1]["square"][0]) and states[0]["steps"][0] == 4


def test_the_second_moment_of_a_bfloat16_parameter_does_not_freeze():
    """At beta2 0.999 a step towards another gradient is a thousandth, of which bfloat16 rounds each away."""
    moments = {}
    for kept in (None, True):
        parameter, rule = nn.Parameter(torch.ones(1).bfloat16()), Adam(beta2=0.999, bf16_moments=kept)
        state = rule.start([parameter])
        for gradient in [1.0] + [0.0] * 50:
            parameter.grad = torch.full((1,), gradient).bfloat16()
            with torch.no_grad():
                rule.update([parameter], state, 0.0, 0)
        moments[kept] = float(state["square"][0])
    assert moments[None] == pytest.approx(0.001 * 0.999**50, rel=1e-3)
    assert moments[True] == pytest.approx(0.001, rel=4e-3)
