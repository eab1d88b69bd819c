"""One place steps all groups: what each rule is told, and the momentum that a schedule sets."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from trainable.optimizers import update_rule
from trainable.optimizers.adam import Adam
from trainable.optimizers.gradient_descent import GradientDescent
from trainable.optimizers.muon import Muon
from trainable.optimizers.normuon import NorMuon
from trainable.optimizers.sgd import SGD
from trainable.optimizers.update_rule import Group, UpdateRule


class Told(UpdateRule):
    """A rule that writes down what it is told; it has no momentum."""

    abstract = True  # not one of the product's

    def __init__(self) -> None:
        object.__setattr__(self, "calls", [])

    def start(self, parameters: Any) -> dict[str, Any]:
        return {"of": parameters}

    def update(self, parameters: Any, state: Any, lr: float, step: int) -> None:
        raise AssertionError("it is stepped at a progress")

    def update_at(self, parameters: Any, state: Any, lr: float, step: int, progress: float) -> None:
        assert not torch.is_grad_enabled()
        self.calls.append((parameters, state, lr, step, progress))  # type: ignore[attr-defined]


def test_every_group_is_told_its_own_parameters_state_and_rate_times_the_multiplier() -> None:
    first, second = (nn.Parameter(torch.zeros(2)),), (nn.Parameter(torch.zeros(3)),)
    groups = [Group("first", first, Told(), 0.5), Group("second", second, Told(), 0.25)]
    states = update_rule.start(groups)
    update_rule.update(groups, states, 4.0, 7)
    update_rule.update(groups, states, 0.5, 8, 0.75)
    assert groups[0].rule.calls == [(first, {"of": first}, 2.0, 7, 0.0), (first, {"of": first}, 0.25, 8, 0.75)]
    assert groups[1].rule.calls == [(second, {"of": second}, 1.0, 7, 0.0), (second, {"of": second}, 0.125, 8, 0.75)]


def test_two_groups_of_one_name_would_share_a_state() -> None:
    with pytest.raises(AssertionError, match="two groups share a name"):
        update_rule.start([Group("same", (), Told(), 1.0), Group("same", (), Told(), 1.0)])


def test_a_momentum_that_is_set_holds_at_every_step_and_part_of_the_run() -> None:
    assert Adam(beta1=0.9, beta2=0.95).with_momentum(0.5) == Adam(beta1=0.5, beta2=0.95)
    assert GradientDescent(momentum=0.9, nesterov=True).with_momentum(0.5).momentum == 0.5
    assert {Muon().with_momentum(0.5).momentum_at(step) for step in (0, 1, 250, 10**6)} == {0.5}
    falling = NorMuon(momentum_warmdown_frac=0.5).with_momentum(0.5)
    assert {falling.momentum_at(step, progress) for step in (0, 200, 10**6) for progress in (0.0, 0.7, 1.0)} == {0.5}


def test_a_schedules_momentum_is_that_of_torchs_sgd() -> None:
    ours, theirs = (nn.Parameter(torch.ones(5, dtype=torch.float64)) for _ in range(2))
    groups = [Group("all", (ours,), GradientDescent(momentum=0.9), 0.1)]
    states, reference = update_rule.start(groups), torch.optim.SGD([theirs], lr=0.1, momentum=0.9)
    for step, momentum in enumerate((0.95, 0.6, 0.8)):
        ours.grad = torch.randn(5, dtype=torch.float64)
        theirs.grad = ours.grad.clone()
        update_rule.update(groups, states, 1.0, step, momentum=momentum)
        reference.param_groups[0]["momentum"] = momentum
        reference.step()
    torch.testing.assert_close(ours, theirs, atol=1e-14, rtol=1e-14)


def test_a_rule_without_a_momentum_refuses_one_by_its_name() -> None:
    group = Group("all", (), Told(), 1.0)
    with pytest.raises(ValueError, match="Told has no momentum that a schedule could set"):
        update_rule.update([group], update_rule.start([group]), 1.0, 0, momentum=0.5)


def test_a_rule_that_does_not_follow_the_run_is_stepped_alike_at_every_progress() -> None:
    found = []
    for progress in (0.0, 1.0):
        parameter = nn.Parameter(torch.ones(3))
        parameter.grad = torch.full((3,), 2.0)
        groups = [Group("all", (parameter,), GradientDescent(), 0.25)]
        update_rule.update(groups, update_rule.start(groups), 1.0, 0, progress)
        found.append(parameter.tolist())
    assert found == [[0.5] * 3] * 2


def test_groups_of_a_run_are_the_optimizers_own_where_no_rate_follows_the_run(tiny) -> None:
    network = tiny.model.build(260, 16)
    assert SGD(lr=0.5).groups_for(network, 64, tiny.schedule) == SGD(lr=0.5).groups(network)
