from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from trainable.optimizers import update_rule
from trainable.optimizers.adam import Adam
from trainable.optimizers.gradient_descent import GradientDescent
from trainable.optimizers.muon import Muon
from trainable.optimizers.sgd import SGD
from trainable.optimizers.update_rule import Group, update
from trainable.schedules import Constant, Cosine, OneCycle, Phases, Warmup


@pytest.mark.parametrize(("pct", "div", "final"), [(0.5, 10.0, 1e4), (0.2, 5.0, 100.0), (0.3, 25.0, 1e4)])
@pytest.mark.filterwarnings("ignore:Detected call of")  # torch wants its optimizer stepped first
def test_rates_and_momenta_are_those_of_torch(pct, div, final):
    n = 40
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0, betas=(0.5, 0.9))
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=1e-3, total_steps=n, pct_start=pct, div_factor=div, final_div_factor=final
    )
    ours = OneCycle(pct_start=(pct * n - 1) / (n - 1), div_factor=div, final_div_factor=final)
    for step in range(n):
        group = optimizer.param_groups[0]
        assert 1e-3 * ours(step / (n - 1)) == pytest.approx(group["lr"], rel=1e-9)
        assert ours.momentum(step / (n - 1)) == pytest.approx(group["betas"][0], rel=1e-9)
        optimizer.step()
        if step < n - 1:
            theirs.step()


def test_its_corners():
    shape = OneCycle(pct_start=0.2, div_factor=5.0, final_div_factor=100.0)
    assert [shape(p) for p in (0.0, 0.1, 0.2, 0.6, 1.0)] == pytest.approx([0.2, 0.6, 1.0, 0.501, 0.002])
    assert [shape.momentum(p) for p in (0.0, 0.1, 0.2, 0.6, 1.0)] == pytest.approx([0.95, 0.9, 0.85, 0.9, 0.95])
    assert replace(shape, cycle_momentum=False).momentum(0.5) is None


def test_the_reports_warmup_and_cosine_is_a_composition():
    n, warmup, highest, lowest = 1883, 500, 5e-4, 1e-5
    shape = Warmup(frac=warmup / n, inner=Cosine(min_lr_frac=lowest / highest))
    assert shape(0.0) == 0
    for step in (0, 1, 250, 499, 500, 501, 1200, 1882):
        decayed = lowest + 0.5 * (1 + math.cos(math.pi * (step - warmup) / (n - warmup))) * (highest - lowest)
        expected = highest * step / warmup if step < warmup else decayed
        assert highest * shape(step / n) == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_combinations_pass_its_momentum_on():
    shape = OneCycle(pct_start=0.5)
    assert Warmup(frac=0.5, inner=shape).momentum(0.25) == pytest.approx(0.95)
    assert Warmup(frac=0.5, inner=shape).momentum(0.75) == pytest.approx(0.85)
    both = Phases(first=shape, second=Constant(), at=0.5)
    assert both.momentum(0.25) == pytest.approx(0.85) and both.momentum(0.75) is None


@pytest.mark.parametrize(
    ("rule", "at"),
    [
        (Adam(beta1=0.5), Adam(beta1=0.9)),
        (GradientDescent(), GradientDescent(momentum=0.9)),
        (Muon(momentum=0.5, momentum_start=0.3), Muon(momentum=0.9, momentum_start=0.9)),
    ],
)
def test_a_momentum_given_with_the_step_takes_the_place_of_the_rules_own(rule, at):
    weights = []
    for used, momentum in ((rule, 0.9), (at, None), (rule, None)):
        torch.manual_seed(0)
        p = torch.nn.Parameter(torch.randn(4, 3))
        groups = [Group("all", (p,), used, 0.1)]
        states = update_rule.start(groups)
        for step in range(3):
            p.grad = torch.randn(4, 3)
            update(groups, states, 1.0, step, momentum=momentum)
        weights.append(p.detach())
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_cycling_the_momentum_changes_a_run_and_overrides_the_optimizers(tiny, run_to_end, first_difference):
    cycled = replace(tiny, schedule=OneCycle(), optimizer=SGD(lr=0.1, momentum=0.5))
    other = replace(cycled, optimizer=SGD(lr=0.1, momentum=0.0))
    fixed = replace(cycled, schedule=OneCycle(cycle_momentum=False))
    runs = [run_to_end(config).numbers["network"] for config in (cycled, other, fixed)]
    assert first_difference(runs[0], runs[1]) is None
    assert first_difference(runs[0], runs[2])


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("pct_start", 0.0), ("pct_start", 1.0), ("div_factor", 0.5), ("base_momentum", 0.96), ("max_momentum", 1.0)],
)
def test_a_shape_out_of_its_range_is_refused(field, wrong):
    with pytest.raises(ValueError, match=rf"OneCycle\.{field} is .* but must be"):
        OneCycle(**{field: wrong})
