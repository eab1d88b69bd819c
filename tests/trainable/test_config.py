from __future__ import annotations

from dataclasses import replace

import pytest

from trainable.component_paths import with_value, with_values
from trainable.config import Budget, Spent, TrainConfig
from trainable.data.dataset import DataConfig
from trainable.hooks.gradient_clip import GradientClip
from trainable.hooks.weight_average import WeightAverage
from trainable.losses.z_loss import ZLoss

BASE = TrainConfig()


def test_a_budget_needs_a_limit_and_every_limit_is_positive_and_finite():
    with pytest.raises(ValueError, match="a Budget needs a limit: set one of steps, tokens, flops, seconds"):
        Budget()
    for unit, amount in {"steps": 0, "tokens": -1, "flops": 0, "seconds": float("inf")}.items():
        with pytest.raises(ValueError, match=rf"Budget.{unit} is .* but must be null or (at least 1|positive)"):
            Budget(**{unit: amount})


def test_rungs_are_counted_in_the_first_unit_that_is_set():
    assert (Budget(seconds=600.0, tokens=100).unit, Budget(seconds=600.0, tokens=100).amount) == ("tokens", 100.0)
    assert Budget(seconds=600.0).unit == "seconds"


def test_the_first_limit_reached_is_the_spent_part():
    budget = Budget(steps=100, seconds=10.0)
    assert budget.fraction(Spent()) == 0
    assert budget.fraction(Spent(steps=50, seconds=2.0)) == 0.5
    assert budget.fraction(Spent(steps=50, seconds=7.5)) == 0.75
    assert budget.fraction(Spent(steps=50, seconds=11.0)) == 1


@pytest.mark.parametrize("amount", [1, 3, 7, 10, 240, 49_999_999, 10**18])
def test_a_budget_is_spent_exactly_when_its_amount_is(amount):
    assert Budget(steps=amount).fraction(Spent(steps=amount)) == 1
    if amount < 2**53:
        assert Budget(steps=amount).fraction(Spent(steps=amount - 1)) < 1


def test_a_trick_stands_in_a_config_once():
    with pytest.raises(ValueError, match="hooks has GradientClip twice"):
        TrainConfig(hooks=(GradientClip(max_norm=1.0), WeightAverage(), GradientClip()))


def test_the_key_depends_on_every_field_and_on_the_data():
    changes = {
        "model.num_layers": 8,
        "optimizer.matrix_lr": 0.05,
        "schedule": "Tidal",
        "losses.ZLoss.weight": 1e-4,
        "hooks.GradientClip.max_norm": 1.0,
        "data.batch_tokens": 1024,
        "budget.steps": 100,
        "horizon.steps": 400,
        "evaluation.tokens": 2048,
        "evaluation.stride": 64,
        "evaluation.ttt.lr": 0.005,
        "artifact.bits": 8,
        "seed": 1,
    }
    keys = [BASE.key("data"), BASE.key("other data"), *(with_value(BASE, p, v).key("data") for p, v in changes.items())]
    assert len(set(keys)) == len(keys)


def test_neutral_tricks_and_the_place_of_the_data_are_no_part_of_the_key():
    neutral = replace(BASE, losses=(ZLoss(),), hooks=(GradientClip(), WeightAverage()))
    elsewhere = replace(BASE, data=replace(DataConfig(), source="/somewhere/else"))
    assert neutral.key("data") == elsewhere.key("data") == BASE.key("data")
    active = with_values(BASE, {"hooks.GradientClip.max_norm": None, "hooks.WeightAverage.decay": 0.9})
    assert active.key("data") == replace(BASE, hooks=(WeightAverage(decay=0.9),)).key("data") != BASE.key("data")


def test_the_order_of_hooks_is_part_of_the_key():
    clip, average = GradientClip(max_norm=1.0), WeightAverage(decay=0.9)
    assert replace(BASE, hooks=(clip, average)).key("d") != replace(BASE, hooks=(average, clip)).key("d")
