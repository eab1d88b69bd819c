from __future__ import annotations

import math
from dataclasses import replace

import pytest

from trainable.config import Budget
from trainable.models.nanochat import Nanochat
from trainable.scaling import (
    ratio_tokens,
    scaling_parameters,
    scaling_parameters_of,
    trapezoid,
    warmdown_fraction,
)
from trainable.schedules import Constant, Cosine, Warmdown, Warmup


@pytest.mark.parametrize(
    ("depth", "ratio", "steps"), [(22, 12, 6517), (22, 11, 5974), (22, 11.5, 6245), (24, 8, 5568), (24, 7.5, 5220)]
)
def test_ratios_give_the_recorded_steps(depth, ratio, steps):
    assert ratio_tokens(Nanochat(num_layers=depth), 32768, ratio) // 2**20 == steps


def test_a_tied_table_counts_as_the_output_matrix(tiny):
    network = tiny.model.build(260, 16)
    matrices = sum(p.numel() for p in network.blocks.parameters() if p.ndim == 2)
    assert scaling_parameters(network) == scaling_parameters_of(tiny.model, 260) == matrices + 260 * 32


@pytest.mark.parametrize(("steps", "ratio"), [(6517, 0.65), (6517, 0.85), (6000, 0.85), (100, 0.5)])
def test_the_trapezoid_is_nanochats_at_every_step(steps, ratio):
    """By the formula of its scripts/base_train.py, whose warm-down has a whole number of steps."""
    schedule, down = trapezoid(steps, 40, ratio), round(ratio * steps)
    for i in range(steps):
        if i < 40:
            expected = (i + 1) / 40
        else:
            left = (steps - i) / down
            expected = 1.0 if i <= steps - down else left + (1 - left) * 0.05
        assert schedule(i / steps) == pytest.approx(expected, abs=1e-12)
    assert schedule(1.0) == pytest.approx(0.05)


def test_without_warmup_it_is_the_warm_down_alone():
    assert trapezoid(100, 0, 0.5, 0.1) == Warmdown(warmdown_frac=0.5, min_lr_frac=0.1)


def test_the_warm_down_of_a_trapezoid_is_found_below_its_warmup():
    assert warmdown_fraction(trapezoid(6517, warmdown_frac=0.65)) == pytest.approx(4236 / 6517, abs=1e-12)
    assert warmdown_fraction(Warmdown(warmdown_frac=0.3)) == 0.3
    assert warmdown_fraction(Warmup(frac=0.5, inner=Warmdown(warmdown_frac=0.5))) == 0.25
    assert warmdown_fraction(Cosine()) is warmdown_fraction(Warmup(inner=Constant())) is None


def test_a_ratio_is_a_budget(tiny, run_to_end):
    size = scaling_parameters_of(tiny.model, 260)
    reports = run_to_end(replace(tiny, budget=Budget(param_data_ratio=5 * 64 / size)), [2 * 64 / size]).reports
    assert [r.step for r in reports] == [2, 5]
    assert reports[-1].param_data_ratio == pytest.approx(320 / size)
    assert math.isclose(reports[-1].milestone, 320 / size)
