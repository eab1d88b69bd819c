from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from trainable.optimizers import stack, update_rule
from trainable.optimizers.muon import Muon
from trainable.optimizers.newton_schulz import NewtonSchulz
from trainable.optimizers.normuon import SCALES, NorMuon, second_moment
from trainable.optimizers.update_rule import Group, update

PLAIN = NorMuon(
    orthogonal=NewtonSchulz(), momentum=0.9, momentum_warmup_steps=0, beta2=None, weight_decay=0.0, cautious=False
)
SHAPES = [(6, 10), (10, 6), (8, 8), (6, 10)]


def matrices() -> list[nn.Parameter]:
    return [nn.Parameter(torch.randn(shape, dtype=torch.float64)) for shape in SHAPES]


def stepped(rule, parameters: list[nn.Parameter], gradients: list[list[Tensor]], lr=0.02, progress=0.0) -> list[Tensor]:
    """What is taken off each matrix over all steps."""
    before = [p.detach().clone() for p in parameters]
    state = rule.start(parameters)
    for i, of_step in enumerate(gradients):
        for parameter, gradient in zip(parameters, of_step, strict=True):
            parameter.grad = gradient.clone()
        with torch.no_grad():
            rule.update_at(parameters, state, lr, i, progress)
    return [b - p.detach() for b, p in zip(before, parameters, strict=True)]


def noise(steps: int) -> list[list[Tensor]]:
    return [[torch.randn(shape, dtype=torch.float64) for shape in SHAPES] for _ in range(steps)]


# --- an independent implementation, one matrix at a time, in float64 --------------------------------------------------


def orthogonal(u: Tensor) -> Tensor:
    left, s, right = torch.linalg.svd(u, full_matrices=False)
    s = s / (s.square().sum().sqrt() + 1e-7)
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return left @ torch.diag(s) @ right


def expected_changes(gradients: list[Tensor], p: Tensor, rule: NorMuon, lr: float, decay: float) -> Tensor:
    rows, columns = p.shape
    momentum, v, start = torch.zeros_like(p), None, p.clone()
    for g in gradients:
        momentum = rule.momentum * momentum + (1 - rule.momentum) * g
        u = (1 - rule.momentum) * g + rule.momentum * momentum if rule.nesterov else momentum
        if rule.equilibrate:
            u = u if rows <= columns else u.T
            norms = u.norm(dim=1)
            u = torch.diag(norms.mean() / norms) @ u
            u = u if rows <= columns else u.T
        o = orthogonal(u)
        if rule.renormalise:
            o = o * math.sqrt(min(rows, columns)) / o.norm()
        if rule.beta2 is not None:
            axis = 1 if rows >= columns else 0
            mean = o.square().mean(axis, keepdim=True)
            v = (0 if v is None else rule.beta2 * v) + (1 - rule.beta2) * mean
            scaled = o / v.sqrt()
            o = scaled * o.norm() / scaled.norm()
        scale = max(1.0, rows / columns) ** 0.5
        taken = scale * decay * p * (o * p >= 0) if rule.cautious else decay * p
        p = p - lr * (scale * o + taken)
    return start - p


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"nesterov": False},
        {"beta2": 0.9},
        {"equilibrate": True},
        {"renormalise": True},
        {"weight_decay": 0.5},
        {"weight_decay": 0.5, "cautious": True},
        {"beta2": 0.95, "equilibrate": True, "renormalise": True, "weight_decay": 0.3, "cautious": True},
    ],
    ids=lambda changes: "+".join(changes) or "plain",
)
def test_several_steps_are_those_of_the_formulas(changes):
    rule, parameters, gradients = replace(PLAIN, **changes), matrices(), noise(3)
    starts = [p.detach().clone() for p in parameters]
    found = stepped(rule, parameters, gradients)
    for i, start_ in enumerate(starts):
        expected = expected_changes([g[i] for g in gradients], start_, rule, 0.02, rule.weight_decay)
        torch.testing.assert_close(found[i], expected, atol=1e-8, rtol=1e-6)


def test_by_default_nothing_decays():
    zero = [[torch.zeros(p.shape, dtype=p.dtype) for p in matrices()]]
    assert not any(change.any() for change in stepped(NorMuon(), matrices(), zero))


def test_decay_spares_by_default_what_the_step_takes_away_from_zero():
    parameters, gradients = matrices(), noise(1)
    starts = [p.detach().clone() for p in parameters]
    decayed = stepped(NorMuon(weight_decay=0.5), parameters, gradients)
    again = [nn.Parameter(start.clone()) for start in starts]
    for start, change, with_decay in zip(starts, stepped(NorMuon(), again, gradients), decayed, strict=True):
        assert torch.equal(with_decay != change, change * start.sign() >= 0)


def test_where_a_step_takes_nothing_a_cautious_decay_is_the_usual_one():
    parameters, zero = matrices(), [[torch.zeros(shape, dtype=torch.float64) for shape in SHAPES]]
    starts = [p.detach().clone() for p in parameters]
    for start, change in zip(starts, stepped(NorMuon(weight_decay=0.5), parameters, zero), strict=True):
        torch.testing.assert_close(change, 0.02 * max(1.0, start.shape[0] / start.shape[1]) ** 0.5 * 0.5 * start)


def test_a_direction_is_renormalised_however_small_the_gradient():
    gradients = [[1e-12 * g for g in noise(1)[0]]]
    for change, (rows, columns) in zip(
        stepped(replace(PLAIN, renormalise=True), matrices(), gradients), SHAPES, strict=True
    ):
        norm = 0.02 * max(1.0, rows / columns) ** 0.5 * min(rows, columns) ** 0.5
        assert change.norm().item() == pytest.approx(norm, rel=1e-6)


def test_an_update_that_knows_of_no_run_is_at_its_beginning():
    rule, found = replace(PLAIN, weight_decay=0.5, decay_schedule="linear"), []
    for at in ({}, {"progress": 0.0}):
        p = nn.Parameter(torch.ones(4, 6, dtype=torch.float64))
        p.grad = torch.zeros_like(p)
        with torch.no_grad():
            (rule.update_at if at else rule.update)([p], rule.start([p]), 0.1, 0, **at)
        found.append(p.detach())
    assert torch.equal(*found) and found[0].unique().tolist() == [pytest.approx(0.95)]


def test_with_nothing_added_it_is_muon():
    ours, gradients = matrices(), noise(4)
    theirs = [nn.Parameter(p.detach().clone()) for p in ours]
    found = stepped(replace(PLAIN, weight_decay=0.1), ours, gradients)
    expected = stepped(Muon(momentum=0.9, momentum_warmup_steps=0, weight_decay=0.1), theirs, gradients)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)  # only the 1e-7 beside the norm differs


@pytest.mark.parametrize(
    ("name", "tall", "wide"),
    [
        ("original", 2.0, 1.0),
        ("match_rms_adamw", 0.2 * 8.0, 0.2 * 8.0),
        ("sqrt_fan_ratio", 2.0, 0.5),
        ("none", 1.0, 1.0),
    ],
)
def test_a_scale_multiplies_the_rate_by_the_shape(name, tall, wide):
    assert (SCALES[name](64, 16), SCALES[name](16, 64)) == pytest.approx((tall, wide))
    parameters, gradients = matrices(), noise(1)
    with_scale = stepped(replace(PLAIN, lr_scale=name), parameters, gradients)
    without = stepped(replace(PLAIN, lr_scale="none"), parameters, gradients)
    for found, bare, shape in zip(with_scale, without, SHAPES, strict=True):
        torch.testing.assert_close(found, SCALES[name](*shape) * bare, atol=1e-12, rtol=1e-9)


def test_matching_adams_rms_moves_elements_by_a_fifth_of_the_rate():
    exact = [nn.Parameter(torch.zeros(64, 16, dtype=torch.float64))]
    gradient = torch.linalg.qr(torch.randn(64, 16, dtype=torch.float64)).Q
    state = (rule := replace(PLAIN, lr_scale="match_rms_adamw", renormalise=True)).start(exact)
    exact[0].grad = gradient
    with torch.no_grad():
        rule.update(exact, state, 0.1, 0)
    assert exact[0].detach().square().mean().sqrt().item() == pytest.approx(0.2 * 0.1)


@pytest.mark.parametrize(("schedule", "middle"), [("constant", 1.0), ("linear", 0.25), ("cosine", 0.1464466)])
def test_weight_decay_follows_the_run(schedule, middle):
    rule, gradients = replace(PLAIN, weight_decay=0.4, decay_schedule=schedule), noise(1)
    parameters = matrices()
    bare = [nn.Parameter(p.detach().clone()) for p in parameters]
    starts = [p.detach().clone() for p in parameters]
    found = stepped(rule, parameters, gradients, progress=0.75)
    without = stepped(PLAIN, bare, gradients)
    for a, b, start_ in zip(found, without, starts, strict=True):
        torch.testing.assert_close(a - b, 0.02 * 0.4 * middle * start_, atol=1e-9, rtol=1e-6)


def test_momentum_rises_stays_and_falls_with_the_end_of_the_run():
    rule = NorMuon(momentum_warmdown_frac=0.5)
    found = [rule.momentum_at(step, step / 2000) for step in (0, 200, 400, 1000, 1500, 2000)]
    assert found == pytest.approx([0.85, 0.91, 0.97, 0.97, 0.935, 0.90])


def test_while_momentum_still_rises_a_fall_that_has_begun_waits():
    """1500 steps with a warm-down of 0.85: it begins at step 225, inside the warm-up; then the momentum jumps."""
    rule = NorMuon(momentum_warmdown_frac=0.85)
    assert rule.momentum_at(399, 399 / 1500) == pytest.approx(0.85 + 0.12 * 399 / 400)
    assert rule.momentum_at(400, 400 / 1500) == pytest.approx(0.97 - 0.07 * (400 - 225) / 1275)


def test_it_sees_the_progress_of_the_run():
    for progress, decay in ((0.0, 0.2), (1.0, 0.0)):
        p = nn.Parameter(torch.ones(3, 4, dtype=torch.float64))
        p.grad = torch.zeros_like(p)
        groups = [Group("all", (p,), replace(PLAIN, weight_decay=0.2, decay_schedule="linear"), 0.5)]
        update(groups, update_rule.start(groups), 1.0, 0, progress)
        torch.testing.assert_close(p.detach(), torch.full_like(p, 1 - 0.5 * decay))


def test_a_stack_taken_in_parts_is_the_whole(monkeypatch):
    rule, gradients = NorMuon(weight_decay=0.1), noise(2)
    whole, parts = matrices(), []
    parts = [nn.Parameter(p.detach().clone()) for p in whole]
    expected = stepped(rule, whole, gradients)
    monkeypatch.setattr(stack, "CACHED_NUMBERS", 60)
    torch.testing.assert_close(stepped(rule, parts, gradients), expected)


@pytest.mark.parametrize("size", [1.0, 1e-6])
def test_the_second_moment_keeps_the_norm_of_a_matrix_of_any_size(size):
    direction = size * torch.randn(2, 4, 6, dtype=torch.float64)
    square = torch.ones(2, 1, 6, dtype=torch.float64)
    found = second_moment(direction, square, 0.9)
    torch.testing.assert_close(torch.linalg.matrix_norm(found), torch.linalg.matrix_norm(direction))


def test_it_iterates_in_the_precision_that_its_state_names() -> None:
    gradient, changes = torch.randn(24, 48), []
    for bfloat16 in (False, True):
        parameter = nn.Parameter(torch.zeros(24, 48))
        state = PLAIN.start([parameter]) | {"bfloat16": bfloat16}
        parameter.grad = gradient.clone()
        with torch.no_grad():
            PLAIN.update([parameter], state, 1.0, 0)
        changes.append(-parameter.detach())
    exact, coarse = changes
    assert torch.equal(coarse.bfloat16().float(), coarse) and not torch.equal(exact.bfloat16().float(), exact)
    torch.testing.assert_close(coarse, exact, atol=0.03, rtol=0)


def test_an_unknown_scale_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"NorMuon.lr_scale is 'orignal' but must be one of .*did you mean 'original'"):
        NorMuon(lr_scale="orignal")
