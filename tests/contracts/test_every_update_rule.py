"""What every update rule and every optimizer promises, new ones included."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from trainable.component import components
from trainable.models.gpt import GPT
from trainable.optimizers import update_rule
from trainable.optimizers.update_rule import Group
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.worker import checkpoint

RULES = pytest.mark.parametrize("rule", components("update rule"))
OPTIMIZERS = pytest.mark.parametrize("optimizer", components("optimizer"))


def matrices(seed: int) -> list[nn.Parameter]:
    draw = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(*shape, generator=draw)) for shape in ((6, 4), (4, 6), (6, 4), (5, 5))]


class Descent:
    """Some steps of a rule on the squared distance to fixed targets."""

    def __init__(self, rule) -> None:
        self.parameters, self.targets = matrices(1), matrices(2)
        self.groups = [Group("all", tuple(self.parameters), rule, 0.05)]
        self.states = update_rule.start(self.groups)
        self.step = 0

    def loss(self) -> torch.Tensor:
        return sum((p - t).square().sum() for p, t in zip(self.parameters, self.targets, strict=True))

    def go(self, steps: int) -> Descent:
        for _ in range(steps):
            for parameter in self.parameters:
                parameter.grad = None
            self.loss().backward()
            update_rule.update(self.groups, self.states, 1.0, self.step)
            self.step += 1
        return self


@RULES
def test_it_descends_a_quadratic(rule):
    descent = Descent(rule.example())
    before = descent.loss().item()
    assert descent.go(60).loss().item() < 0.2 * before


@RULES
@pytest.mark.parametrize("after", [0, 1, 4])
def test_its_state_survives_a_checkpoint(rule, after, tmp_path: Path, first_difference):
    straight, broken = Descent(rule.example()).go(after + 4), Descent(rule.example()).go(after)
    checkpoint.save(tmp_path, "state", {"weights": broken.parameters, "rule": broken.states}, "key")
    saved = checkpoint.load(tmp_path / "state", "key")
    resumed = Descent(rule.example())
    with torch.no_grad():
        for parameter, weights in zip(resumed.parameters, saved["weights"], strict=True):
            parameter.copy_(weights)
    resumed.states, resumed.step = saved["rule"], after
    resumed.go(4)
    assert first_difference(straight.parameters, resumed.parameters) is None
    assert first_difference(straight.states, resumed.states) is None


@RULES
def test_a_multiplier_of_zero_moves_nothing(rule, first_difference):
    descent = Descent(rule.example()).go(2)
    before = [p.detach().clone() for p in descent.parameters]
    descent.loss().backward()
    update_rule.update(descent.groups, descent.states, 0.0, descent.step)
    assert first_difference(before, [p.detach() for p in descent.parameters]) is None


@RULES
def test_half_the_rate_is_half_the_multiplier(rule):
    descents = [Descent(rule.example()), Descent(rule.example())]
    for descent, multiplier in zip(descents, (1.0, 0.5), strict=True):
        descent.groups = [dataclasses.replace(descent.groups[0], lr=0.05 / multiplier)]
        descent.loss().backward()
        update_rule.update(descent.groups, descent.states, multiplier, 0)
    for a, b in zip(*(d.parameters for d in descents), strict=True):
        torch.testing.assert_close(a, b)


class Count(TorchDispatchMode):
    """Counts what is computed; a view computes nothing, and one operation on a list of tensors is one."""

    number = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        self.number += not function.is_view
        return function(*arguments, **(keywords or {}))


@RULES
def test_its_operations_do_not_grow_in_number_with_the_matrices(rule):
    counts = []
    for times in (1, 5):
        parameters = [p for seed in range(times) for p in matrices(seed)]
        groups = [Group("all", tuple(parameters), rule.example(), 0.05)]
        states = update_rule.start(groups)
        for p in parameters:
            p.grad = torch.ones_like(p)
        with Count() as count:
            update_rule.update(groups, states, 1.0, 0)
        counts.append(count.number)
    assert counts[0] == counts[1]


def moments(state) -> list[torch.Tensor]:
    """What a rule remembers in floating point, of its lists of tensors."""
    lists = [value for value in state.values() if isinstance(value, list)]
    return [each for members in lists for each in members if each.is_floating_point()]


def in_bfloat16(rule, steps: int) -> tuple[list[nn.Parameter], list[torch.Tensor]]:
    """Parameters in bfloat16 after some steps of a rule, and its moments then."""
    parameters = [nn.Parameter(p.detach().bfloat16()) for p in matrices(1)]
    groups = [Group("all", tuple(parameters), rule, 0.05)]
    states = update_rule.start(groups)
    for step in range(steps):
        for parameter, gradient in zip(parameters, matrices(2 + step), strict=True):
            parameter.grad = gradient.detach().bfloat16()
        update_rule.update(groups, states, 1.0, step)
    return parameters, moments(states["all"])


@RULES
def test_moments_of_a_table_in_bfloat16_are_in_float32_unless_the_rule_says_otherwise(rule):
    """A running mean in bfloat16 stands still: each of its small steps is rounded away."""
    for steps in (0, 2):
        parameters, found = in_bfloat16(rule.example(), steps)
        assert {p.dtype for p in parameters} == {torch.bfloat16}
        assert found and {moment.dtype for moment in found} == {torch.float32}
    if "bf16_moments" in {field.name for field in dataclasses.fields(rule)}:
        _, found = in_bfloat16(dataclasses.replace(rule.example(), bf16_moments=True), 1)
        assert torch.bfloat16 in {moment.dtype for moment in found}


@RULES
def test_a_table_in_bfloat16_moves_as_one_in_float32_does_but_for_its_rounding(rule):
    halves, _ = in_bfloat16(rule.example(), 3)
    exact = [nn.Parameter(p.detach().bfloat16().float()) for p in matrices(1)]
    groups = [Group("all", tuple(exact), rule.example(), 0.05)]
    states = update_rule.start(groups)
    for step in range(3):
        for parameter, gradient in zip(exact, matrices(2 + step), strict=True):
            parameter.grad = gradient.detach().bfloat16().float()
        update_rule.update(groups, states, 1.0, step)
    for half, whole in zip(halves, exact, strict=True):
        torch.testing.assert_close(half.float(), whole, rtol=0.02, atol=0.01)


OF_SOURCE = {"MuonAdam", "MuonAdamW"}  # golf's and nanochat's own: they keep the moments as the table is


@OPTIMIZERS
def test_only_the_optimizers_whose_source_has_it_keep_a_tables_moments_in_bfloat16(optimizer, tiny, dataset):
    run = Run.start(dataclasses.replace(tiny, optimizer=optimizer.example()), dataset, Runtime(precision="bf16"))
    assert run.network.embedding.weight.dtype == torch.bfloat16
    kept = {moment.dtype for state in run.optimizer_states.values() for moment in moments(state)}
    assert (torch.bfloat16 in kept) == (optimizer.__name__ in OF_SOURCE)


@OPTIMIZERS
@pytest.mark.parametrize("tied", [True, False])
def test_every_parameter_is_in_exactly_one_group(optimizer, tied, tiny):
    network = dataclasses.replace(tiny.model, tie_embeddings=tied).build(260, 16)
    grouped = [p for group in optimizer.example().groups(network) for p in group.parameters]
    assert sorted(map(id, grouped)) == sorted(map(id, network.parameters()))


@OPTIMIZERS
def test_a_run_resumed_from_any_step_is_bit_identical_to_the_straight_run(
    optimizer, with_component, assert_resumes_identically
):
    assert_resumes_identically(with_component(optimizer.example()))


@OPTIMIZERS
@pytest.mark.parametrize("tied", [True, False])
def test_every_group_moves(optimizer, tied, tiny, run_to_end, dataset):
    model = dataclasses.replace(tiny.model, tie_embeddings=tied)
    assert isinstance(model, GPT)
    run = run_to_end(dataclasses.replace(tiny, model=model, optimizer=optimizer.example())).run
    torch.manual_seed(tiny.seed)
    start = model.build(dataset.vocab_size, 16)
    moved = {id(p): not torch.equal(p, q) for p, q in zip(run.network.parameters(), start.parameters(), strict=True)}
    assert all(moved[id(p)] for group in run.groups for p in group.parameters)


@RULES
def test_a_multiplier_on_the_device_is_that_number(rule):
    """What a step moves is linear in the rate, which is how update() takes a multiplier that the host does not have."""
    numbers, tensors = Descent(rule.example()).go(2), Descent(rule.example()).go(2)
    for descent, multiplier in ((numbers, 0.7), (tensors, torch.tensor(0.7))):
        descent.loss().backward()
        update_rule.update(descent.groups, descent.states, multiplier, descent.step)
    for a, b in zip(numbers.parameters, tensors.parameters, strict=True):
        torch.testing.assert_close(a, b)
